import { unreachable } from "../lib/unreachable.ts";
import type { JsonText } from "../model/mail.ts";
import type { JsonNode, JsonObject } from "./json-node.ts";
import { writeNode } from "./json-node.ts";

/**
 * Carries the digits of numbers through a library that reads them as doubles and writes them its own way.
 *
 * Every number is replaced by a double of its own: 2^51 and a half and up, which are exact and written without an
 * exponent. A sender's number never meets one by accident, because all are replaced; equal texts share one, so that
 * what the library compares as equal stays equal. Numbers inside `@context` (`"@version": 1.1`) are left alone.
 */
export class NumberMarkers {
  readonly #markers = new Map<string, string>();
  readonly #digits = new Map<string, string>();

  mark(node: JsonNode): JsonNode {
    return map(node, (raw) => this.#markerOf(raw));
  }

  restore(node: JsonNode): JsonText {
    return writeNode(map(node, (raw) => this.#digits.get(raw) ?? raw));
  }

  #markerOf(raw: string): string {
    const known = this.#markers.get(raw);
    if (known !== undefined) return known;
    const marker = String(2 ** 51 + this.#markers.size + 0.5);
    this.#markers.set(raw, marker);
    this.#digits.set(marker, raw);
    return marker;
  }
}

/** Recursive: the depth was limited when the text was read. */
function map(node: JsonNode, change: (raw: string) => string): JsonNode {
  switch (node.kind) {
    case "object": {
      const members: JsonObject["members"] = node.members.map((member) =>
        member.name === "@context" ? member : { ...member, value: map(member.value, change) },
      );
      return { kind: "object", members };
    }
    case "array":
      return { kind: "array", items: node.items.map((item) => map(item, change)) };
    case "number":
      return { kind: "number", raw: change(node.raw) };
    case "string":
    case "literal":
      return node;
    default:
      return unreachable(node);
  }
}
