/**
 * The charsets by the names that our decoders know, each with its labels, reduced to letters and digits: the WHATWG's,
 * IANA's, and what Outlook, Lotus, Java, PHP, Oracle and the mailers of each country wrote.
 *
 * Source: WHATWG Encoding §4.2; IANA "Character Sets"; PHP mbstring "Supported Character Encodings"; Java SE "Supported
 * Encodings"; Python `encodings.aliases`; Microsoft "Code Page Identifiers".
 */
export const LABELS: Readonly<Record<string, string>> = {
  "us-ascii": `usascii ascii ansix341968 ansix341986 iso646us iso646 iso646irv1991 us csascii isoir6`,
  "utf-8": `utf8 utf unicode11utf8 unicode20utf8 xunicode20utf8 utf8mb3 utf8mb4 utf8n utf8sig utf8bom utf8mac csutf8
    al32utf8 cesu8 utf8strict unicodeutf8 uft8`,
  "utf-7": `utf7 unicode11utf7 unicode20utf7 xunicode20utf7 csutf7 csunicode11utf7 xutf7`,
  "utf-16le": `utf16 utf16le ucs2 ucs2le unicode unicodefeff iso10646ucs2 csunicode csutf16 csutf16le unicodelittle
    unicodelittleunmarked xutf16lebom iso10646 isounicode`,
  "utf-16be": `utf16be ucs2be unicodefffe unicodebig unicodebigunmarked csutf16be`,
  "utf-32": `utf32 ucs4 iso10646ucs4 csucs4 csutf32`,
  "utf-32le": `utf32le ucs4le csutf32le xutf32lebom`,
  "utf-32be": `utf32be ucs4be csutf32be xutf32bebom`,
  "windows-1252": `ansi western westerneuropean xansi ansix31101983 isoir99 latin9windows`,
  macintosh: `macintosh mac csmacintosh xmacroman macroman xmac`,
  maccenteuro: `macce xmacce maccenteuro xmaccenteuro maccentraleurope xmaccentraleurope xmaccentraleurroman
    maccentraleuroman maclatin2`,
  "x-mac-cyrillic": `maccyrillic xmaccyrillic macukraine macukrainian xmacukrainian xmacukraine`,
  macgreek: `macgreek xmacgreek`,
  macturkish: `macturkish xmacturkish`,
  maccroatian: `maccroatian xmaccroatian`,
  maciceland: `maciceland macicelandic xmacicelandic xmaciceland`,
  macromania: `macromania macromanian xmacromanian xmacromania`,
  macthai: `macthai xmacthai`,
  "koi8-r": `koi8r koi8 koi cskoi8r`,
  "koi8-u": `koi8u koi8ru cskoi8u`,
  "koi8-t": `koi8t`,
  ibm866: `alt altcyrillic csibm866 cp866nav cp866u`,
  cp1125: `ruscii`,
  "windows-1251": `mscyrl windowscyrillic xmscyrl`,
  "windows-1250": `msee`,
  "windows-1253": `msgreek`,
  "windows-1254": `msturk`,
  "windows-1255": `mshebr`,
  "windows-1256": `msarab`,
  "windows-1257": `winbaltrim msbaltic`,
  "windows-874": `tis620 tis6202529 tis62025291 tis6202533 tis62025330 tis62025331 isoir166 thai eucth cstis620`,
  "iso-8859-5": `cyrillic csisolatincyrillic`,
  "iso-8859-6": `arabic csisolatinarabic asmo708 ecma114 iso88596i iso88596e csiso88596i csiso88596e`,
  "iso-8859-7": `greek greek8 csisolatingreek ecma118 elot928 suneugreek`,
  "iso-8859-8": `hebrew csisolatinhebrew visual logical iso88598i iso88598e csiso88598i csiso88598e iso8859hebrew`,
  armscii8: `armscii8 armscii`,
  viscii: `viscii csviscii`,
  tcvn: `tcvn tcvn5712 tcvn57121 tcvn571211993`,
  pt154: `pt154 ptcp154 csptcp154 cp154 cyrillicasian`,
  rk1048: `rk1048 kz1048 cskz1048 strk10482002`,
  hproman8: `hproman8 roman8 r8 cshproman8`,
  georgianps: `georgianps`,
  georgianacademy: `georgianacademy`,
  mik: `mik`,
  "iso-2022-jp": `iso2022jp csiso2022jp xiso2022jp iso2022jp1 iso2022jp2 csiso2022jp2 iso2022jp3 iso2022jp2004 iso2022jpms
    iso2022jpext xwindowsiso2022jp windowsiso2022jp xiso2022jp1 xiso2022jp2 xiso2022jp3 xmsiso2022jp jis xjis jis7 jis8
    jisms jis2004 jisencoding csjisencoding iso2022jpmobile`,
  "euc-jp": `eucjp xeucjp xeuc ujis xujis eucjpwin eucjpms eucjpopen xeucjpopen xeucjplinux eucjis2004 eucjisx0213 ajec
    cseucpkdfmtjapanese extendedunixcodepackedformatforjapanese unixjis eucjpmobile`,
  shift_jis: `shiftjis xshiftjis sjis xsjis sjiswin xsjiswin shiftjiswin mskanji csshiftjis windows31j cswindows31j sjismac
    shiftjis2004 shiftjisx0213 sjisopen xsjiscp932 macjapanese xmacjapanese shiftjisms sjisms sjismobile`,
  "euc-kr": `euckr xeuckr cseuckr ksc5601 ksc56011987 ksc56011989 ksc56011992 csksc56011987 kscks56011987 korean isoir149 uhc
    xuhc ksx1001 ksx10011992 ks5601 euckrwin mackorean xmackorean`,
  "iso-2022-kr": `iso2022kr csiso2022kr xiso2022kr`,
  gb18030: `gb2312 xgb2312 csgb2312 gb23121980 gb231280 gbk xgbk csgbk gb18030 csgb18030 gb180302000 gb180302005 gb180302022
    euccn xeuccn eucgb gb chinese csiso58gb231280 isoir58 cngb macchinsimp macchinesesimp xmacsimpchinese xmacchinesesimp
    simplifiedchinese`,
  "hz-gb-2312": `hzgb2312 hz hzgb xhz xhzgb2312`,
  "iso-2022-cn": `iso2022cn csiso2022cn iso2022cnext csiso2022cnext iso2022cngb xiso2022cngb xiso2022cn`,
  big5: `big5 csbig5 cnbig5 xxbig5 xbig5 big5hkscs csbig5hkscs xbig5hkscs big5hkscs1999 big5hkscs2001 big5hkscs2004
    big5eten big5tw eten tcabig5 big5uao hkscs bigfive macchintrad macchinesetrad xmactradchinese xmacchinesetrad
    traditionalchinese ms950hkscs`,
};

/** Numbers of code pages: Microsoft's, and IBM's where they differ. Ranges that follow a rule are where labels are read. */
export const PAGES: Readonly<Record<string, string>> = {
  "us-ascii": "367 20127",
  "utf-8": "1208 65001",
  "utf-7": "65000",
  "utf-16le": "1200 1202",
  "utf-16be": "1201",
  "utf-32le": "12000",
  "utf-32be": "12001",
  "iso-8859-1": "819",
  "iso-8859-2": "912",
  "iso-8859-3": "913",
  "iso-8859-4": "914",
  "iso-8859-5": "915",
  "iso-8859-6": "1089 708",
  "iso-8859-7": "813",
  "iso-8859-8": "916 38598",
  "windows-1254": "920",
  "iso-8859-10": "919",
  "iso-8859-13": "921",
  "iso-8859-15": "923",
  ibm866: "866",
  "windows-874": "874",
  "koi8-r": "878 20866",
  "koi8-u": "1168 21866",
  macintosh: "1275 10000",
  macgreek: "10006",
  "x-mac-cyrillic": "10007 10017",
  macromania: "10010",
  macthai: "10021",
  maccenteuro: "10029 1282",
  maciceland: "10079",
  macturkish: "10081",
  maccroatian: "10082",
  shift_jis: "932 942 943 10001",
  "euc-jp": "954 1350 5050 20932 33722 51932",
  "iso-2022-jp": "50220 50221 50222",
  "euc-kr": "949 970 1363 10003 20949 51949",
  "iso-2022-kr": "50225",
  gb18030: "936 1381 1383 1386 1392 10008 20936 51936 54936",
  "hz-gb-2312": "52936",
  "iso-2022-cn": "50227",
  big5: "950 951 1370 1375 10002",
};

/** DOS and IBM pages of one byte that iconv-lite has. */
export const DOS_PAGES =
  "437 720 737 775 808 850 852 855 856 857 858 860 861 862 863 864 865 869 922 1046 1124 1125 1129 1133 1161 1162 1163";
