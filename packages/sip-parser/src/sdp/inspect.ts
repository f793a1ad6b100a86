/** The verdict on a whole session description: its lines, then the value of each known attribute (RFC 8866). */
import { Buffer } from 'node:buffer'
import type { Problem } from '../errors'
import { problemsMax } from '../limits'
import { decodeAttribute } from './attributes/registry'
import { parseSdp } from './parse'
import { readAttribute } from './read-lines'
import type { SessionDescription } from './session'

/** The verdict of {@link inspectSdp}. */
export interface SdpInspection {
  /** True when every line and every known attribute is well formed. */
  readonly ok: boolean
  /** Absent when a line is malformed; malformed attributes are in it as text. */
  readonly sdp?: SessionDescription
  /** In the order of the bytes; offsets count bytes from the start of the description. */
  readonly problems: readonly Problem[]
}

/** Reads a description and each attribute that has a codec. Never throws. */
export function inspectSdp(input: string | Uint8Array): SdpInspection {
  const parsed = parseSdp(input)
  if (!parsed.ok) return { ok: false, problems: [parsed.error] }
  const bytes =
    typeof input === 'string' ? Buffer.from(input) : Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const problems: Problem[] = []
  let start = 0
  while (start < bytes.length && problems.length < problemsMax) {
    const feed = bytes.indexOf(0x0a, start)
    const end = feed < 0 ? bytes.length : feed
    if (bytes[start] === 0x61) inspectAttribute(bytes.toString('latin1', start, end), start, problems)
    start = end + 1
  }
  return { ok: problems.length === 0, sdp: parsed.value, problems }
}

/** The line is read byte for character, so that an offset in it is an offset in the input. */
function inspectAttribute(line: string, start: number, problems: Problem[]): void {
  const attribute = readAttribute(line.slice(2).replace(/\r$/, ''))
  const decoded = attribute && decodeAttribute(attribute)
  if (attribute === undefined || decoded === undefined || decoded.ok) return
  const valueAt = attribute.value === undefined ? 0 : 2 + attribute.name.length + 1
  problems.push({ ...decoded.error, offset: start + valueAt + latin1Length(attribute.value, decoded.error.offset) })
}

/** Turns an offset in UTF-8 bytes of a text with one character a byte into one in its characters. */
function latin1Length(value: string | undefined, offset: number): number {
  return value === undefined ? 0 : Buffer.from(value).subarray(0, offset).toString().length
}
