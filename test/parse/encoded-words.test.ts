import { expect, test } from "vitest";

import { decodeWords } from "../../src/parse/encoded-words.ts";
import { parseMail } from "../../src/parse/mail.ts";
import { readStructured } from "../../src/parse/parameters.ts";

const LIMITS = { parts: 1_000, mimeDepth: 50, headerBytes: 262_144, rfc822Depth: 8, textBytes: 65_536 };

test.each([
  [
    "two words of ISO-2022-JP that both shift back",
    "=?ISO-2022-JP?B?GyRCJDRDbUo4GyhC?=\r\n =?ISO-2022-JP?B?GyRCJCIkaiQsJEgkJhsoQg==?=",
    "ご注文ありがとう",
  ],
  [
    "three of them, the middle one in ASCII",
    "=?iso-2022-jp?B?GyRCQ21KOBsoQg==?= =?iso-2022-jp?Q?No=2E1_?= =?iso-2022-jp?B?GyRCM05HJxsoQg==?=",
    "注文No.1 確認",
  ],
  ["Q and B of one charset", "=?ISO-2022-JP?Q?=1B$BCmJ8=1B(B?= =?iso-2022-jp?B?GyRCM05HJxsoQg==?=", "注文確認"],
  [
    "one that breaks off in the middle of a shift",
    "=?iso-2022-jp?B?GyRCQ21KOA==?= =?iso-2022-jp?B?MyRMcxsoQg==?=",
    "注文海約",
  ],
  ["one that breaks off inside a character", "=?iso-2022-jp?B?GyRCQ21K?= =?iso-2022-jp?B?OBsoQg==?=", "注文"],
  [
    "one that forgot to shift back before another",
    "=?iso-2022-jp?B?GyRCQ21KOA==?= =?iso-2022-jp?B?GyRCM05HJxsoQg==?=",
    "注文確認",
  ],
  ["two labels of one charset", "=?iso-2022-jp?B?GyRCQ21KOBsoQg==?= =?csISO2022JP?B?GyRCM05HJxsoQg==?=", "注文確認"],
  ["ISO-2022-JP of Outlook", "=?x-windows-iso2022jp?B?GyRCQ21KOBsoQg==?= =?cp50220?B?GyRCM05HJxsoQg==?=", "注文確認"],
  [
    "two words of ISO-2022-KR, the designation in the first",
    "=?iso-2022-kr?B?GyQpQw5BVjkuDw==?= =?iso-2022-kr?B?DjAhMF0P?=",
    "주문가격",
  ],
  [
    "two words of ISO-2022-KR, each with its designation",
    "=?iso-2022-kr?B?GyQpQw5BVjkuDw==?= =?iso-2022-kr?B?GyQpQw4wITBdDw==?=",
    "주문가격",
  ],
  ["two words of ISO-2022-CN", "=?iso-2022-cn?B?GyQpQQ5WUA8=?= =?iso-2022-cn?B?GyQpQQ5ORA8=?=", "中文"],
  ["two words of HZ", "=?hz-gb-2312?B?fntWUE5Efn0=?= =?HZ-GB-2312?B?fns2KTUlfn0=?=", "中文订单"],
  ["HZ that forgot to shift back", "=?hz-gb-2312?B?fntWUE5E?= =?hz-gb-2312?B?fns2KTUlfn0=?=", "中文订单"],
  ["two words of UTF-7", "=?utf-7?Q?Gr+APwA3w-?= =?utf-7?Q?e_+IKw-?=", "Grüße €"],
  ["UTF-7 whose last shift ends with the word", "=?utf-7?Q?Gr+APw?= =?utf-7?Q?+AN8-e?=", "Grüße"],
  ["UTF-8 cut inside a character", "=?utf-8?Q?=E6=97?= =?utf-8?Q?=A5=E6=9C=AC?=", "日本"],
  ["Shift_JIS cut inside a character", "=?shift_jis?Q?=93?= =?shift_jis?Q?=FA=96=7B?=", "日本"],
  ["GB2312 cut inside a character, under two labels", "=?gb2312?Q?=D6?= =?gbk?Q?=D0=CE=C4?=", "中文"],
  ["base64 cut at any digit", "=?utf-8?B?5pel5?= =?utf-8?B?pys?=", "日本"],
  ["base64 cut behind its second digit", "=?utf-8?B?w7?= =?utf-8?B?w=?=", "ü"],
  ["base64 without padding in each word", "=?utf-8?B?YQ?= =?utf-8?B?Yg?=", "ab"],
  ["base64 without padding in three words", "=?iso-8859-1?B?R3L8?= =?iso-8859-1?B?3w?= =?iso-8859-1?B?ZQ?=", "Grüße"],
  [
    "a charset that nobody knows, as it is written",
    "a =?x-no-such?B?R3L8?= =?x-no-such?Q?=DF=65?= b",
    "a =?x-no-such?B?R3L8?= =?x-no-such?Q?=DF=65?= b",
  ],
  ["UTF-8 under a charset that nobody knows", "=?x-no-such?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"],
  ["a language behind the charset", "=?iso-8859-1*de?Q?Gr=FC=DFe?=", "Grüße"],
  ["no word next to one", "Re: =?utf-8?Q?a?= b =?utf-8?Q?c?=", "Re: a b c"],
])("%s is read", (_, value, text) => {
  expect(decodeWords(value)).toBe(text);
});

test.each([
  [
    "words",
    'attachment; filename="=?ISO-2022-JP?B?GyRCQ21KOBsoQg==?= =?ISO-2022-JP?B?GyRCMGxNdxsoQi5qc29u?="',
    "注文一覧.json",
  ],
  [
    "continued words",
    'a; filename*0="=?ISO-2022-JP?B?GyRCQ21KOBsoQg==?="; filename*1=" =?ISO-2022-JP?B?LmpzbwBu?="',
    "注文.jso n",
  ],
  ["a charset of RFC 2231", "a; filename*=iso-2022-jp''%1B$BCmJ8%1B%28B.json", "注文.json"],
  [
    "that charset in continuations",
    "a; filename*0*=iso-2022-jp'ja'%1B$BCm%1B%28B; filename*1*=%1B$BJ8%1B%28B.json",
    "注文.json",
  ],
  [
    "a charset that nobody knows beside a plain name",
    "a; filename=order.json; filename*=x-no-such''%E9.json",
    "order.json",
  ],
  ["a charset that nobody knows alone", "a; filename*=x-no-such''%E9.json", "x-no-such''%E9.json"],
])("a file name in %s is read", (_, value, filename) => {
  expect(readStructured(value).parameters.get("filename")).toBe(filename);
});

test("raw ISO-2022-JP in a header is read by its escape sequences, in names, subjects and file names", () => {
  const jis = (text: string) => `\u001b$B${text}\u001b(B`;
  const mail = [
    `From: ${jis("EDCf")} <tanaka@shop.example>`,
    `Subject: ${jis("CmJ8")} 17`,
    `Content-Disposition: attachment; filename="${jis("CmJ8")}.json"`,
    "",
    "1",
  ].join("\r\n");
  const parsing = parseMail(Buffer.from(mail, "latin1"), LIMITS);
  expect(parsing).toMatchObject({
    summary: { from: [{ name: "田中", address: "tanaka@shop.example" }], mailSubject: "注文 17" },
    parts: [{ filename: "注文.json" }],
  });
});
