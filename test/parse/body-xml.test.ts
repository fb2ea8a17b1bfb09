import { expect, test } from "vitest";

import { readXmlBody } from "../../src/parse/body-xml.ts";

const read = (xml: string | Buffer, charset = "") => {
  const reading = readXmlBody(Buffer.from(xml as string), charset, { depth: 50 });
  return reading.kind === "payload" ? reading.payload : reading.detail;
};

test.each([
  ["<a/>", '{"a":""}'],
  ["<a>x</a>", '{"a":"x"}'],
  ["<a> x </a>", '{"a":" x "}'],
  ["<a b='1' c=\"2\"/>", '{"a":{"@b":"1","@c":"2"}}'],
  ["<a b='1'> x </a>", '{"a":{"@b":"1","#text":" x "}}'],
  ["<a><b>1</b><c/><b>2</b></a>", '{"a":{"b":["1","2"],"c":""}}'],
  ["<a>\n  <b>1</b>\n</a>", '{"a":{"b":"1"}}'],
  ["<a>x <b>1</b> y</a>", '{"a":{"b":"1","#text":"x  y"}}'],
  ["<a>&lt;&amp;&#228;&#x1F600;</a>", '{"a":"<&ä😀"}'],
  ["<a><![CDATA[<b>]]></a>", '{"a":"<b>"}'],
  ["<?xml version='1.0'?><!-- c --><a><?pi x?>1<!-- d --></a>", '{"a":"1"}'],
  ["<s:a xmlns:s='u'><s:b/></s:a>", '{"s:a":{"@xmlns:s":"u","s:b":""}}'],
  ["<a><__proto__>1</__proto__><constructor/></a>", '{"a":{"__proto__":"1","constructor":""}}'],
  ["<a>1.10</a>", '{"a":"1.10"}'],
])("%s", (xml, json) => {
  expect(read(xml)).toBe(json);
});

test.each([
  ["", "must contain a root element"],
  ["hello", "No XML"],
  ["<a>", "No XML: line 1"],
  ["<a></b>", "No XML: line 1"],
  ["<a/><b/>", "No XML: line 1"],
  ["<a x=1/>", "No XML: line 1"],
  ["<a x='1' x='2'/>", "No XML: line 1"],
  ["<!DOCTYPE a><a/>", "DOCTYPE"],
  ["<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY l1 '&lol;&lol;'>]><lolz>&l1;</lolz>", "DOCTYPE"],
  ["<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "DOCTYPE"],
  ["<a>&nbsp;</a>", "No XML"],
  ["<a>\u0001</a>", "No XML"],
  [`${"<a>".repeat(51)}`, "deeper than 50"],
])("%s is no XML for us", (xml, words) => {
  expect(read(xml)).toContain(words);
});

test("the charset is the header's, else the byte order mark's or the declaration's, else UTF-8", () => {
  expect(read(Buffer.from("<a>\xe4</a>", "latin1"), "iso-8859-1")).toBe('{"a":"ä"}');
  expect(read(Buffer.from("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4</a>", "latin1"))).toBe('{"a":"ä"}');
  expect(read(Buffer.from("\ufeff<a>ä</a>", "utf16le"))).toBe('{"a":"ä"}');
  expect(read(Buffer.from("<a>\xe4</a>", "latin1"))).toContain("charset");
});

test("the sender's own words are not in what we say of them", () => {
  expect(read("<secretword></otherword>")).not.toMatch(/secretword|otherword/);
});

test("a million elements, and deep ones, are read in passing", () => {
  const wide = `<a>${"<b/>".repeat(250_000)}</a>`;
  expect(read(wide).length).toBeGreaterThan(250_000);
  const deep = `${"<a>".repeat(50)}${"x".repeat(500_000)}${"</a>".repeat(50)}`;
  expect(read(deep).length).toBeGreaterThan(500_000);
});
