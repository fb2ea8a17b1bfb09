import { expect, test } from "vitest";

import { findScripts } from "../../src/extract/scripts.ts";

const LD = `<script type="application/ld+json">`;
const textsIn = (html: string) => findScripts(html).map(({ text }) => text);

test("scripts are found in head and body, with id, key and the offset of their tag", () => {
  const html = `<html><head>${LD}{"a":1}</script></head><body><p>x</p><SCRIPT Type='Application/JSON' ID=order data-kustomer-key="k &amp; y">{"b":2}</SCRIPT >`;
  expect(findScripts(html)).toEqual([
    { type: "application/ld+json", id: null, text: '{"a":1}', key: null, quoted: false, start: 12 },
    {
      type: "application/json",
      id: "order",
      text: '{"b":2}',
      key: "k & y",
      quoted: false,
      start: html.indexOf("<SCRIPT"),
    },
  ]);
});

test.each([
  ["application/ld+json", true],
  [" Application/LD+JSON ; charset=utf-8", true],
  ["application/ld+json;profile=http://www.w3.org/ns/json-ld#flattened", true],
  ["application/ld&#43;json", true],
  ["application/json", true],
  ["text/json", true],
  ["application/vnd.api+json", true],
  ["model/gltf+json", true],
  ["text/javascript", false],
  ["application/ldjson", false],
  ["application/jsonp", false],
  ["importmap", false],
  ["", false],
])("a script of type %j is data: %s", (type, isData) => {
  expect(findScripts(`<script type="${type}">{}</script>`)).toHaveLength(isData ? 1 : 0);
});

test("a script without a type, or with the type in a second attribute of that name, is not data", () => {
  expect(textsIn("<script>{}</script>")).toEqual([]);
  expect(textsIn(`<script type="module" type="application/json">{}</script>`)).toEqual([]);
});

test("scripts in comments, in text elements and in declarations do not count", () => {
  const elsewhere = ["style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"].map(
    (name) => `<${name}>${LD}0</script></${name}>`,
  );
  const html = `<!-- ${LD}0</script> --><!-- a --!>${LD}1</script><!-->${LD}2</script>-->${elsewhere.join("")}<!x "${LD}">`;
  expect(textsIn(html)).toEqual(["1", "2"]);
});

test("an attribute that holds a tag hides it, and a quote inside a name or a bare value does not open one", () => {
  expect(textsIn(`<a title='${LD}0</script>'>${LD}1</script>`)).toEqual(["1"]);
  expect(textsIn(`<p a"b c=d" ="e>${LD}1</script>`)).toEqual(["1"]);
});

test("scripts in noscript count, those in a template do not", () => {
  expect(textsIn(`<noscript>${LD}1</script></noscript>`)).toEqual(["1"]);
  expect(textsIn(`<template><template></template>${LD}0</script></template>${LD}2</script>`)).toEqual(["2"]);
});

test("plaintext ends the markup of a page", () => {
  expect(textsIn(`${LD}1</script><plaintext>${LD}2</script>`)).toEqual(["1"]);
});

test("an empty style element inside SVG does not swallow the page", () => {
  expect(textsIn(`<svg><style/><title/></svg>${LD}1</script>`)).toEqual(["1"]);
  expect(textsIn(`<svg><![CDATA[ > ${LD}0</script> ]]></svg>${LD}1</script>`)).toEqual(["1"]);
});

test("a script ends at its first end tag, in any case, but not at a longer name", () => {
  expect(textsIn(`${LD}"</scripts> </scrip>"</SCRIPT\n>`)).toEqual(['"</scripts> </scrip>"']);
  expect(textsIn(`${LD}"<script>"</script>`)).toEqual(['"<script>"']);
});

test("behind a comment mark an inner script and its end tag belong to the text", () => {
  expect(textsIn(`${LD}<!-- <script>0</script> --></script>`)).toEqual(["<!-- <script>0</script> -->"]);
  expect(textsIn(`${LD}"<!-->", "<script>"</script>`)).toEqual(['"<!-->", "<script>"']);
});

test("a comment mark that never closes does not give the rest of the page to its script", () => {
  expect(textsIn(`${LD}"<!-- <script>"</script>${LD}2</script>`)).toEqual(['"<!-- <script>"', "2"]);
});

test("the script of a mail that was cut off is read to the end", () => {
  expect(textsIn(`${LD}{"a":1}`)).toEqual(['{"a":1}']);
  expect(textsIn(`${LD}{"a":1}</script`)).toEqual(['{"a":1}']);
  expect(textsIn(`<script type="application/json"`)).toEqual([]);
});

test("scripts in the quote of a reply are marked, and those behind it are not", () => {
  const html = `<div class="gmail_quote x"><div>${LD}1</script></div></div>${LD}2</script><BLOCKQUOTE><blockquote></blockquote>${LD}3</script></BLOCKQUOTE>${LD}4</script>`;
  expect(findScripts(html).map(({ quoted }) => quoted)).toEqual([true, false, true, false]);
});
