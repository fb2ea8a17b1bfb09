import { expect, test } from "vitest";

import { decodeText } from "../../src/parse/charset.ts";

const hex = (bytes: string) => Buffer.from(bytes, "hex");

// Bytes as CPython's codecs write them.
const CHARSETS: readonly (readonly [label: string, text: string, bytes: string])[] = [
  ["utf-8", "Grüße, 価格 1.10 €", "4772c3bcc39f652c20e4bea1e6a0bc20312e313020e282ac"],
  ["utf-16", "Grüße, 価格 €", "fffe47007200fc00df0065002c002000a14f3c682000ac20"],
  ["utf-16le", "Grüße, 価格 €", "47007200fc00df0065002c002000a14f3c682000ac20"],
  ["utf-16be", "Grüße, 価格 €", "0047007200fc00df0065002c00204fa1683c002020ac"],
  ["utf-32", "Grüße €", "fffe00004700000072000000fc000000df0000006500000020000000ac200000"],
  ["utf-7", "Grüße + 価格 €", "47722b4150774133772d65202b2d202b5436466f5041202b494b772d"],
  ["iso-8859-1", "Grüße, déjà", "4772fcdf652c2064e96ae0"],
  ["iso-8859-2", "Zażółć gęślą jaźń", "5a61bff3b3e62067eab66cb1206a61bcf1"],
  ["iso-8859-3", "Ĉu ŝi ĵus ĝojis?", "c67520fe6920bc757320f86f6a69733f"],
  ["iso-8859-4", "Ķīna, ŧest", "d3ef6e612c20bc657374"],
  ["iso-8859-5", "Привет", "bfe0d8d2d5e2"],
  ["iso-8859-6", "مرحبا", "e5d1cdc8c7"],
  ["iso-8859-7", "Καλημέρα", "cae1ebe7ecddf1e1"],
  ["iso-8859-8", "שלום", "f9ece5ed"],
  ["iso-8859-9", "İyi günler, şık", "dd79692067fc6e6c65722c20fefd6b"],
  ["iso-8859-10", "Þetta er íslenska", "de6574746120657220ed736c656e736b61"],
  ["iso-8859-13", "Labas rytas, ačiū", "4c616261732072797461732c2061e869fb"],
  ["iso-8859-14", "Ŵyth ŷd", "d079746820fe64"],
  ["iso-8859-15", "10 €, œuvre", "313020a42c20bd75767265"],
  ["iso-8859-16", "Ștefan și 5 €", "aa746566616e20ba69203520a4"],
  ["windows-1250", "Příliš žluťoučký kůň", "50f8ed6c699a209e6c759d6f75e86bfd206bf9f2"],
  ["windows-1251", "Заказ № 5", "c7e0eae0e720b92035"],
  ["windows-1252", "“Grüße” – 10 €", "934772fcdf659420962031302080"],
  ["windows-1253", "Καλημέρα €", "cae1ebe7ecddf1e12080"],
  ["windows-1254", "İyi günler €", "dd79692067fc6e6c65722080"],
  ["windows-1255", "שלום ₪", "f9ece5ed20a4"],
  ["windows-1256", "مرحبا €", "e3d1cdc8c72080"],
  ["windows-1257", "Ačiū €", "41e869fb2080"],
  ["windows-1258", "Tiê´ng Viêt", "5469eab46e67205669ea74"],
  ["windows-874", "สวัสดี", "cac7d1cab4d5"],
  ["tis-620", "สวัสดี", "cac7d1cab4d5"],
  ["koi8-r", "Привет, мир", "f0d2c9d7c5d42c20cdc9d2"],
  ["koi8-u", "Їжак, ґанок", "b7d6c1cb2c20adc1cecfcb"],
  ["koi8-t", "Тоҷикӣ", "f4cf8dc9cba5"],
  ["gb2312", "订单价格", "b6a9b5a5bcdbb8f1"],
  ["gbk", "訂單价格", "d38686cebcdbb8f1"],
  ["gb18030", "订单🙂ㆠ", "b6a9b5a5953085328139b434"],
  ["hz-gb-2312", "订单 A", "7e7b362935257e7d2041"],
  ["big5", "訂單價格", "ad71b3e6bbf9aee6"],
  ["big5-hkscs", "訂單價格", "ad71b3e6bbf9aee6"],
  ["shift_jis", "注文ｶﾅ価格", "928d95b6b6c589bf8a69"],
  ["euc-jp", "注文価格", "c3edcab8b2c1b3ca"],
  ["iso-2022-jp", "注文 A 価格", "1b2442436d4a381b28422041201b24423241334a1b2842"],
  ["euc-kr", "주문 가격", "c1d6b9ae20b0a1b0dd"],
  ["iso-2022-kr", "주문 가격", "1b2429430e4156392e0f200e3021305d0f"],
  ["cp949", "주문 똠", "c1d6b9ae208c63"],
  ["macintosh", "Grüße, déjà", "47729fa7652c20648e6a88"],
  ["ibm437", "Grüße ░", "477281e16520b0"],
  ["ibm850", "Grüße, ño", "477281e1652c20a46f"],
  ["ibm866", "Привет", "8fe0a8a2a5e2"],
];

test.each(CHARSETS)("%s is read", (label, text, bytes) => {
  expect(decodeText(hex(bytes), label, false)).toBe(text);
  expect(decodeText(hex(bytes), ` "${label.toUpperCase()}"`, false)).toBe(text);
});

test.each(CHARSETS.filter(([label]) => !/^utf-|^iso-2022|^hz/.test(label)))(
  "%s is read where only the HTML says so",
  (label, text, bytes) => {
    const head = Buffer.from(`<meta charset="${label}"><p>`);
    expect(decodeText(Buffer.concat([head, hex(bytes)]), undefined, true)).toBe(`<meta charset="${label}"><p>${text}`);
  },
);

test.each([
  ["the names that Japanese mailers made up", "x-ms-cp932", hex("92 8d 95 b6".replaceAll(" ", "")), "注文"],
  ["a name for ISO-2022-JP with half-width letters", "iso-2022-jp-ms", hex("1b2442436d4a381b2842"), "注文"],
  ["Korean beyond EUC-KR under its label", "euc-kr", hex("8c63b9e6b0a2c7cf20bc84bdc3c4ddb6f3"), "똠방각하 펲시콜라"],
  ["Korean under a short name", "uhc", hex("8c63"), "똠"],
  ["Cantonese under the label of Taiwan", "big5", hex("fed3f9d8"), "着裏"],
  ["Windows' name for Korean", "ks_c_5601-1987", hex("c1d6b9ae"), "주문"],
  ["UTF-7 under its old name", "unicode-1-1-utf-7", Buffer.from("Gr+APwA3w-e + 1 +- 2"), "Grüße + 1 + 2"],
  ["UTF-16 by its zeros", undefined, Buffer.from('{"a":1}', "utf16le"), '{"a":1}'],
  ["UTF-16 by its mark, whatever the label", "iso-8859-1", hex("feff00e9"), "é"],
  ["UTF-8 by its mark", "windows-1252", hex("efbbbfc3a9"), "é"],
  ["UTF-8 under a Western label", "iso-8859-1", Buffer.from("é à ü ö"), "é à ü ö"],
  ["a label that nobody knows", "x-nonsense", Buffer.from("é"), "é"],
  ["no label and no UTF-8", undefined, hex("e9 80".replace(" ", "")), "é€"],
  ["8-bit bytes under us-ascii", "us-ascii", hex("e9"), "é"],
  ["UTF-8 that was cut", "utf-8", hex("c3a9c3a9c3a9c3a9c3"), "éééé\uFFFD"],
  ["windows-1252 under utf-8", "utf-8", hex("47 72 fc df 65".replaceAll(" ", "")), "Grüße"],
])("%s is recovered", (_, label, bytes, text) => {
  expect(decodeText(bytes, label, false)).toBe(text);
});
