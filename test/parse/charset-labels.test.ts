import { expect, test } from "vitest";

import { readStrictly, readText } from "../../src/parse/charset.ts";
import { DOS_PAGES, LABELS, PAGES } from "../../src/parse/charset-table.ts";

const hex = (bytes: string) => Buffer.from(bytes, "hex");

// Bytes as CPython's codecs write them, and what browsers, Outlook, Lotus, Java, PHP, Oracle and IANA call their charset.
const CHARSETS: readonly (readonly [text: string, bytes: string, labels: string])[] = [
  [
    "Größe €",
    "4772c3b6c39f6520e282ac",
    "utf-8 UTF8 utf_8 utf-8; utf8mb4 unicode-1-1-utf-8 x-unicode20utf8 cp65001 65001 ibm-1208 AL32UTF8 UTF-8//IGNORE charset=utf-8 3DUTF-8 uft-8",
  ],
  ["Größe €", "fffe47007200f600df0065002000ac20", "utf-16 unicode ucs-2 iso-10646-ucs-2 csUnicode cp1200"],
  ["Größe", "0047007200f600df0065", "utf-16be unicodeFFFE UnicodeBig cp1201 csUTF16BE"],
  ["Größe €", "fffe00004700000072000000f6000000df0000006500000020000000ac200000", "utf-32 ucs-4 iso-10646-ucs-4"],
  ["Größe", "0000004700000072000000f6000000df00000065", "utf-32be ucs-4be"],
  [
    "Größe €",
    "47722b4150594133772d65202b494b772d",
    "utf-7 unicode-1-1-utf-7 x-unicode-2-0-utf-7 csUnicode11UTF7 cp65000",
  ],
  [
    "Größe “x”",
    "4772f6df6520937894",
    "windows-1252 cp1252 cp-1252 win-1252 windows1252 x-cp1252 ansi 1252 ibm-5348 iso-8859-1 ISO_8859-1:1987 iso8859_1 8859-1 latin-1 latin1 l1 iso-ir-100 csISOLatin1 IBM819 cp819 cp28591 ansi_x3.110-1983 us-ascii//TRANSLIT",
  ],
  ["Zażółć", "5a61bff3b3e6", "iso-8859-2 ISO8859_2 latin2 l2 csISOLatin2 iso-ir-101 cp28592 ibm-912"],
  ["Zażółć", "5a61bff3b3e6", "windows-1250 cp1250 win1250 x-cp1250 cp-1250 ms-ee"],
  ["Zażółć", "5a61bea28886", "cp852 ibm852 dos-852 pc852 852 x-ibm852"],
  [
    "Žluťoučký",
    "eb6c75e96f758b6bf9",
    "x-mac-ce macce x-mac-centraleurroman x-mac-central-europe mac-central-europe x-MacCentralEurope cp10029 mac_latin2",
  ],
  ["Größe", "47729aa765", "macintosh mac x-mac-roman MacRoman csMacintosh cp10000"],
  ["Привет", "8ff0e8e2e5f2", "x-mac-cyrillic MacCyrillic x-mac-ukrainian cp10007"],
  ["Καλημέρα", "bae1ece8eddbf2e1", "x-mac-greek MacGreek cp10006"],
  ["İğdır", "dcdb64dd72", "x-mac-turkish MacTurkish cp10081"],
  ["Привет", "f0d2c9d7c5d4", "koi8-r KOI8 koi cskoi8r koi8_r cp20866"],
  ["Їжак", "b7d6c1cb", "koi8-u koi8-ru cp21866"],
  ["Тоҷикӣ", "f4cf8dc9cba5", "koi8-t"],
  [
    "Привет №5",
    "cff0e8e2e5f220b935",
    "windows-1251 cp1251 win-1251 windows1251 x-cp1251 cp-1251 win1251 ansi-1251 ms-cyrl 1251",
  ],
  ["Привет", "8fe0a8a2a5e2", "ibm866 cp866 dos-866 866 cp-866 cp866nav csIBM866 x-cp866 alt"],
  ["Привет", "dde1b7eba8e5", "cp855 ibm855 dos-855"],
  ["Привет", "bfe0d8d2d5e2", "iso-8859-5 cyrillic csISOLatinCyrillic iso-ir-144 cp28595"],
  ["Ґанок", "f2a0adaeaa", "cp1125 ruscii"],
  ["Қазақ", "8de0e7e09d", "pt154 ptcp154 cyrillic-asian"],
  ["Қазақ", "8de0e7e09d", "kz-1048 rk1048 STRK1048-2002"],
  ["Καλημέρα", "cae1ebe7ecddf1e1", "iso-8859-7 greek greek8 ELOT_928 ECMA-118 iso-ir-126 sun_eu_greek cp28597"],
  ["Καλημέρα", "cae1ebe7ecddf1e1", "windows-1253 cp1253 ms-greek"],
  ["Καλημέρα", "8998a29ea3e2a898", "cp737 ibm737 dos-737"],
  ["שלום", "f9ece5ed", "iso-8859-8 hebrew iso-8859-8-i iso-8859-8-e logical visual csISO88598I iso-ir-138 cp38598"],
  ["שלום", "f9ece5ed", "windows-1255 cp1255 ms-hebr win-1255"],
  ["שלום", "998c858d", "cp862 ibm862 dos-862"],
  ["مرحبا", "e5d1cdc8c7", "iso-8859-6 arabic ASMO-708 ECMA-114 iso-8859-6-i iso-ir-127"],
  ["مرحبا", "e3d1cdc8c7", "windows-1256 cp1256 ms-arab"],
  ["مرحبا", "eaa9a5a09f", "cp720 dos-720 ibm720"],
  ["İyi şık", "dd796920fefd6b", "iso-8859-9 latin5 l5 iso-ir-148 windows-1254 cp1254 ms-turk"],
  ["İyi şık", "987969209f8d6b", "cp857 ibm857"],
  ["Þetta", "de65747461", "iso-8859-10 latin6 l6 iso-ir-157"],
  ["Ačiū", "41e869fb", "iso-8859-13 latin7 iso-ir-179 cp28603"],
  ["Ačiū", "41e869fb", "windows-1257 cp1257 winbaltrim"],
  ["Ačiū", "41d169d7", "cp775 ibm775 dos-775"],
  ["Ŵyth", "d0797468", "iso-8859-14 latin8 iso-ir-199"],
  [
    "5 €, œuvre",
    "3520a42c20bd75767265",
    "iso-8859-15 iso_8859-15 ISO8859_15 latin9 latin-9 l9 iso-ir-203 csISO885915 cp28605 ibm-923",
  ],
  ["București", "427563757265ba7469", "iso-8859-16 latin10 l10 iso-ir-226"],
  ["Viêt", "5669ea74", "windows-1258 cp1258"],
  ["Größe", "477294e165", "cp850 cp-850 ibm850 IBM-850 dos-850 850 x-cp850"],
  ["Größe", "477294e165", "cp437 ibm437 437 dos-437"],
  ["Größe €", "477294e16520d5", "cp858 ibm-858 cp00858"],
  ["สวัสดี", "cac7d1cab4d5", "tis-620 TIS620 iso-8859-11 cp874 windows-874 dos-874 x-windows-874 iso-ir-166"],
  [
    "日本①",
    "93fa967b8740",
    "shift_jis Shift-JIS sjis x-sjis sjis-win windows-31j cswindows31j ms932 cp932 x-ms-cp932 MS_Kanji csShiftJIS x-MS932 ibm-943 Cp943C x-IBM943 932",
  ],
  [
    "日本",
    "c6fccbdc",
    "euc-jp EUC_JP x-euc-jp eucjp ujis eucJP-win eucJP-ms cp51932 cp20932 csEUCPkdFmtJapanese Extended_UNIX_Code_Packed_Format_for_Japanese x-eucJP-Open ibm-33722",
  ],
  [
    "日本",
    "1b2442467c4b5c1b2842",
    "iso-2022-jp csISO2022JP iso2022jp x-iso-2022-jp ISO-2022-JP-1 iso-2022-jp-2 iso-2022-jp-3 iso-2022-jp-ms iso-2022-jp-ext cp50220 cp50221 cp50222 x-windows-iso2022jp x-windows-50220 JIS jis_encoding iso2022_jp_2004",
  ],
  ["한글 日本", "1b2428434751315b1b2842201b2442467c4b5c1b2842", "iso-2022-jp-2 csISO2022JP2"],
  ["丂丄", "1b242844302130221b2842", "iso-2022-jp-1 iso-2022-jp-ext"],
  ["ｱｲｳ", "1b28493132331b2842", "iso-2022-jp-ms cp50221 x-windows-iso2022jp"],
  [
    "한글똠",
    "c7d1b1db8c63",
    "euc-kr EUC_KR ks_c_5601-1987 ks_c_5601-1989 KSC_5601 csKSC56011987 korean cp949 ms949 uhc windows-949 x-windows-949 iso-ir-149 ibm-1363 949",
  ],
  ["한글", "1b2429430e4751315b0f", "iso-2022-kr csISO2022KR iso2022kr cp50225"],
  [
    "中文價",
    "d6d0cec48372",
    "gb2312 GB_2312-80 csGB2312 gbk x-gbk cp936 ms936 windows-936 euc-cn EUC_CN x-euc-cn gb18030 GB18030-2022 chinese csISO58GB231280 iso-ir-58 cn-gb x-mac-simp-chinese ibm-1386 936",
  ],
  ["中文", "7e7b56504e447e7d", "hz-gb-2312 hz x-hz HZ-GB-2312 cp52936"],
  ["中文", "1b2429410e56504e440f", "iso-2022-cn csISO2022CN ISO-2022-CN-EXT x-ISO-2022-CN-GB cp50227"],
  [
    "中文",
    "a4a4a4e5",
    "big5 Big-5 csBig5 cn-big5 x-x-big5 big5-hkscs big5-eten cp950 ms950 windows-950 x-windows-950 ibm-1370 950",
  ],
  ["着裏", "fed3f9d8", "big5-hkscs Big5_HKSCS MS950_HKSCS hkscs"],
];

const LABELLED = CHARSETS.flatMap(([text, bytes, labels]) =>
  labels.split(" ").map((label) => [label, text, bytes] as const),
);

test.each(LABELLED)("the label %s is read at both doors, in any case and in quotes", (label, text, bytes) => {
  for (const written of [label, label.toUpperCase(), ` "${label}"`, `'${label}';`]) {
    expect(readText(hex(bytes), written, "text")).toEqual({ text, fidelity: "exact" });
    expect(readStrictly(hex(bytes), written, "text")).toBe(text);
  }
});

// Among them names that a decoder would take, but that are no charsets.
const UNKNOWN = ["x-no-such", "klingon", "iso-8859-12", "cp99999", "base64", "hex", "binary", "utf7imap", "x-unknown"];
UNKNOWN.push("unknown-8bit", "default", "none", "$charset", "a".repeat(500));

test.each(UNKNOWN)("text under the unknown label %s is UTF-8 or not decoded at all", (label) => {
  expect(readText(Buffer.from("Größe"), label, "text")).toEqual({ text: "Größe", fidelity: "exact" });
  expect(readStrictly(Buffer.from("Größe"), label, "text")).toBe("Größe");
  expect(readText(Buffer.from("plain"), label, "text")).toEqual({ text: "plain", fidelity: "exact" });
  const foreign = Buffer.from("Gr\xf6\xdfe", "latin1");
  expect(readText(foreign, label, "text")).toEqual({ text: "Gr\uFFFD\uFFFDe", fidelity: "unknown-charset" });
  expect(readStrictly(foreign, label, "text")).toBeUndefined();
});

test.each([
  ["UTF-8 under a Western label", "iso-8859-1", "ü", "ü"],
  ["UTF-8 under us-ascii", "us-ascii", "日本", "日本"],
  ["UTF-8 under a Russian label", "windows-1251", "Grüße – 日本", "Grüße – 日本"],
  ["UTF-8 under a Chinese label", "gb2312", "日本語", "日本語"],
  ["UTF-8 under a Japanese label", "shift_jis", "Grüße, é à", "Grüße, é à"],
  ["UTF-8 under ISO-2022-JP", "iso-2022-jp", "日本", "日本"],
  ["UTF-8 under UTF-16", "utf-16", "{ü}", "{ü}"],
  ["ASCII under UTF-16", "utf-16", '{"a":1}', '{"a":1}'],
])("%s is UTF-8", (_, label, bytes, text) => {
  expect(readText(Buffer.from(bytes), label, "text")).toEqual({ text, fidelity: "exact" });
});

test.each([
  ["no label", undefined],
  ["us-ascii", "us-ascii"],
  ["utf-8", "utf-8"],
  ["Shift_JIS", "shift_jis"],
  ["a label that nobody knows", "x-no-such"],
])("ESC $ B decides under %s", (_, label) => {
  expect(readText(hex("611b2442467c4b5c1b284262"), label, "text")).toEqual({ text: "a日本b", fidelity: "exact" });
});

test.each([
  ["a character that was cut", "utf-8", "c3a9e6972021", "é\uFFFD !"],
  ["without a label", undefined, "c3a9c3a9c3a9c3a9e697", "éééé\uFFFD"],
  ["a lead byte without a trail", "shift_jis", "93fa93", "日\uFFFD"],
  ["a place that a charset leaves empty", "iso-8859-8", "f9ff", "ש\uFFFD"],
  ["what nothing labels and Western text never holds", undefined, "8281e9", "‚\uFFFDé"],
  ["half a pair in ISO-2022-JP", "iso-2022-jp", "1b2442467c4b1b2842", "日\uFFFD"],
  ["a set that nobody knows", "iso-2022-jp", "611b2579417a", "a\uFFFD\uFFFD"],
])("%s is a loss, and known as one", (_, label, bytes, text) => {
  expect(readText(hex(bytes), label, "text")).toEqual({ text, fidelity: "lossy" });
});

test("a U+FFFD that the sender wrote is no loss", () => {
  for (const [label, bytes] of [
    ["utf-8", Buffer.from("a\uFFFD")],
    ["utf-16le", Buffer.from("a\uFFFD", "utf16le")],
    ["gb18030", hex("618431a437")],
  ] as const)
    expect(readText(bytes, label, "text")).toEqual({ text: "a\uFFFD", fidelity: "exact" });
});

test("every name in the table has a decoder, and every label leads to one", () => {
  const pages = [...Object.values(PAGES), DOS_PAGES].join(" ").split(" ");
  const labels = [...Object.keys(LABELS), ...Object.keys(PAGES), ...Object.values(LABELS).join(" ").split(/\s+/)];
  for (const label of [...labels, ...pages, ...pages.map((page) => `cp${page}`)])
    expect(readText(Buffer.from("a\xe9!", "latin1"), label, "text").fidelity, label).not.toBe("unknown-charset");
});
