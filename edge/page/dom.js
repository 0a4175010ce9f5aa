// Builds elements. Text is only ever inserted as text: nothing in this page parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. A function among `attributes` listens to the event of that name; true is an empty
 * attribute; false, null and undefined are none. `children` are nodes and strings.
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(element, key, value);
  element.append(...children.flat(Infinity).filter(isThere));
  return element;
}

function setAttribute(element, key, value) {
  if (typeof value === "function") element.addEventListener(key, value);
  else if (isThere(value)) element.setAttribute(key, value === true ? "" : value);
}

function isThere(value) {
  return value !== null && value !== undefined && value !== false;
}

/** One of the symbols of index.html; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export function byId(id) {
  return document.getElementById(id);
}
