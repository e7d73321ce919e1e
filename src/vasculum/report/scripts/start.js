// The last part: everything begins here.

startPage();
startImages().catch((error) => {
  byId("images-note").textContent = `The table of all images could not be unpacked (${error.name}): here are the first ones.`;
});
