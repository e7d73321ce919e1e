// Numbers and strangers' texts as a person reads them; words.py does the same for what is written beforehand.

const HIDDEN = /[\p{Cc}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const visible = (found) => (found === "\t" || found === "\n" ? found
  : `⟨U+${found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
const plain = (text) => text.replace(HIDDEN, visible);

const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const count = (number) => WHOLE.format(number);
const some = (amount, word) => `${count(amount)} ${word}${amount === 1 ? "" : "s"}`;

// An element with attributes and children; texts become text, never markup.
const make = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => {
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  });
  made.append(...children.filter((child) => child !== null));
  return made;
};
const stranger = (text) => make("bdi", {}, plain(text));

// Only a plain web address becomes a link; the page was written with such alone, and looks again.
const safeLink = (address) => {
  try {
    const read = new URL(address);
    return ["http:", "https:"].includes(read.protocol) && !read.username && !read.password ? address : null;
  } catch {
    return null;
  }
};
