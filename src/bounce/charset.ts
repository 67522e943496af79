// Bytes to words. A mail is held as one string with a character for every byte; here such strings become text.
// Labels are hints: unknown, missing and wrong ones are met with a guess, and no bytes are ever refused.

/** Labels in use that TextDecoder does not know. */
const ALIASES: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  'utf-8-bom': 'utf-8',
  unicode: 'utf-8',
  'unicode-1-1-utf-7': 'utf-8',
  'utf-7': 'utf-8',
  cp932: 'shift_jis',
  'windows-31j': 'shift_jis',
  'iso-2022-jp-1': 'iso-2022-jp',
  'iso-2022-jp-2': 'iso-2022-jp',
  'iso-2022-jp-ms': 'iso-2022-jp',
  cp50220: 'iso-2022-jp',
  cp51932: 'euc-jp',
  cp949: 'euc-kr',
  uhc: 'euc-kr',
  'ks_c_5601-1987': 'euc-kr',
  'iso-2022-kr': 'euc-kr',
  cp936: 'gbk',
  'hz-gb-2312': 'gbk',
  cp950: 'big5',
  'big5-hkscs': 'big5',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1252: 'windows-1252',
  cp1254: 'windows-1254',
  ansi: 'windows-1252',
  'us-ascii': '',
  ascii: '',
  'ansi_x3.4-1968': '',
  '7bit': '',
  '8bit': '',
  'unknown-8bit': '',
  'x-unknown': '',
}

type Decoder = InstanceType<typeof TextDecoder>

const BEYOND_ASCII = /[\x80-\xff]/
/** ISO-2022-JP and its kin say with ESC what they are, whatever the label. */
const ISO_2022_JP = /\x1b(?:\$[@B]|\([BIJ])/
const KNOWN_LABELS = 64

const decoders = new Map<string, Decoder | undefined>()
const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

function decoderFor(label: string): Decoder | undefined {
  const known = decoders.get(label)
  if (known !== undefined || decoders.has(label)) return known
  let decoder: Decoder | undefined
  try {
    decoder = new TextDecoder(label)
  } catch {
    // A label nobody knows: guessed at by the caller.
    decoder = undefined
  }
  // Labels come from strangers: what is kept is bounded.
  if (decoders.size < KNOWN_LABELS) decoders.set(label, decoder)
  return decoder
}

/** The text of a byte string; `charset` is what the mail claims. */
export function decodeBytes(bytes: string, charset?: string): string {
  if (ISO_2022_JP.test(bytes)) return decodeWith('iso-2022-jp', bytes) ?? bytes
  if (!BEYOND_ASCII.test(bytes) && !isWide(charset)) return bytes
  const label = normalLabel(charset)
  return (label === '' || label === 'utf-8' ? undefined : decodeWith(label, bytes)) ?? guess(bytes)
}

/** UTF-8 where it is valid UTF-8 (nothing else ever is by accident), otherwise Western. */
function guess(bytes: string): string {
  const buffer = Buffer.from(bytes, 'latin1')
  try {
    return strictUtf8.decode(buffer)
  } catch {
    // Not UTF-8 as a whole. Mostly UTF-8 with a broken end is told from Latin by its many valid pairs.
    const lenient = buffer.toString('utf8')
    const broken = lenient.split('\ufffd').length - 1
    return broken * 8 < lenient.length - broken && /[\u0080-\uffff]/.test(lenient.replaceAll('\ufffd', ''))
      ? lenient
      : (decodeWith('windows-1252', bytes) ?? bytes)
  }
}

function decodeWith(label: string, bytes: string): string | undefined {
  return decoderFor(label)?.decode(Buffer.from(bytes, 'latin1'))
}

function normalLabel(charset: string | undefined): string {
  const label = (charset ?? '')
    .trim()
    .toLowerCase()
    .replace(/^["']|["']$/g, '')
    .replace(/^x-/, '')
  return ALIASES[label] ?? ALIASES[`x-${label}`] ?? label.slice(0, 40)
}

function isWide(charset: string | undefined): boolean {
  return charset !== undefined && /^\W?utf-?16/i.test(charset)
}
