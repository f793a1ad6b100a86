/**
 * Parameters of challenges, credentials and Authentication-Info as text (RFC 7616 §3.3 to §3.5, RFC 7615), and the
 * extended notation of `username*` (RFC 8187 §3.2). Pure.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import { createResponse, type Params, quote } from '@carillon/sip-parser'

/** One parameter: its name and its value, not quoted. */
export type AuthParam = readonly [name: string, value: string]

/** What is written without quotes, wherever it stands. */
const bare: ReadonlySet<string> = new Set(['algorithm', 'charset', 'nc', 'stale', 'userhash', 'username*'])

/**
 * Parameters as they are written.
 * @param isQopQuoted true in challenges, where qop is a list (RFC 7616 §3.3)
 */
export function writeAuthParams(params: readonly AuthParam[], isQopQuoted: boolean): string {
  let text = ''
  for (const [name, value] of params) {
    const isBare = bare.has(name) || (name === 'qop' && !isQopQuoted)
    text += `${text === '' ? '' : ', '}${name}=${isBare ? value : quote(value)}`
  }
  return text
}

/** Reads parameters without a scheme, names in lower case; undefined when they are malformed or one is repeated. */
export function readAuthParams(text: string): Params | undefined {
  const decoded = createResponse({ status: 200, headers: [['Authentication-Info', text]] }).decode('authenticationInfo')
  return decoded.ok ? decoded.value : undefined
}

/** True for text that a quoted string can hold as it is, in any character set: printable ASCII. */
export function isPlainText(text: string): boolean {
  return /^[ -~]*$/.test(text)
}

/** The extended notation, `UTF-8''J%C3%A4s%C3%B8n`; what is no token in SIP is escaped as well. */
export function encodeExtended(text: string): string {
  let encoded = "UTF-8''"
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte)
    encoded += /[A-Za-z0-9!+._`~-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}

/** Reads the extended notation; undefined when it is malformed, no UTF-8, or in another character set. */
export function decodeExtended(value: string): string | undefined {
  const charsetEnd = value.indexOf("'")
  const languageEnd = value.indexOf("'", charsetEnd + 1)
  if (charsetEnd < 0 || languageEnd < 0) return undefined
  if (value.slice(0, charsetEnd).toLowerCase() !== 'utf-8') return undefined
  if (!/^[A-Za-z0-9-]*$/.test(value.slice(charsetEnd + 1, languageEnd))) return undefined
  const encoded = value.slice(languageEnd + 1)
  if (!/^(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})*$/.test(encoded)) return undefined
  const bytes = Buffer.from(
    encoded.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    'latin1',
  )
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}
