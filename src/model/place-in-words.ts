import type { ItemSource } from "./item.ts";

/** A place as a person would call it: `part 1.2 (text/html) script`, `part 3 (application/json, order.json)`. */
export function placeInWords({ part, mediaType, filename, element, quoted, forwarded }: ItemSource): string {
  const file = filename === null ? "" : `, ${filename}`;
  const inside = element === null ? "" : ` ${element}`;
  const marks = `${quoted === true ? " in a quote" : ""}${forwarded ? " of a forwarded mail" : ""}`;
  return `part ${part} (${mediaType}${file})${inside}${marks}`;
}
