/**
 * The addresses of a From field's value: of names, comments, quoted strings and groups only what stands for a mailbox.
 *
 * One pass over the characters, and never throws. What is written so that readers may differ is left as it stands: then it has
 * no domain, or more than one, and proves nobody. Source: RFC 5322 §3.4, RFC 6854 (a group's members are authors too).
 */
export function authorAddresses(value: string): readonly string[] {
  const addresses: string[] = [];
  let words = [""];
  let angled: string | undefined;
  let inAngle = false;
  /** `<@a.example,@b.example:joe@c.example>`: a comma in a route parts nothing (RFC 5322 §4.4). */
  let isRoute = false;
  const take = () => {
    const address = (angled ?? bareAddress(words)).trim();
    if (address !== "") addresses.push(address);
    words = [""];
    angled = undefined;
    inAngle = false;
  };
  const add = (text: string) => {
    if (inAngle) angled = `${angled ?? ""}${text}`;
    else words.push(`${words.pop() ?? ""}${text}`);
  };
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at] ?? "";
    if (character === '"') {
      const end = quotedEnd(value, at);
      // Outside of angles it is a name, or a local part when an @ follows.
      if (inAngle || value[end] === "@") add(value.slice(at, end));
      at = end - 1;
    } else if (character === "(") at = commentEnd(value, at) - 1;
    else if (character === "<") {
      if (angled !== undefined) take();
      angled = "";
      inAngle = true;
      isRoute = value[at + 1] === "@";
    } else if (character === ">") inAngle = false;
    else if ((character === "," || character === ";") && !(inAngle && isRoute)) take();
    else if (inAngle) add(character);
    else if (character === ":") words = [""];
    else if (character.trim() === "") words.push("");
    else add(character);
  }
  take();
  return addresses;
}

/** Without angles a name may stand before an address. */
function bareAddress(words: readonly string[]): string {
  return words.filter((word) => word.includes("@")).join(" ");
}

function quotedEnd(value: string, start: number): number {
  for (let at = start + 1; at < value.length; at += 1) {
    if (value[at] === "\\") at += 1;
    else if (value[at] === '"') return at + 1;
  }
  return value.length;
}

function commentEnd(value: string, start: number): number {
  let depth = 0;
  for (let at = start; at < value.length; at += 1) {
    if (value[at] === "\\") at += 1;
    else if (value[at] === "(") depth += 1;
    else if (value[at] === ")") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return value.length;
}
