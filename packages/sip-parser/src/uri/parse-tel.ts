/** Reading telephone URIs (RFC 3966 §3). */

import { charFlags, URI_PARAM } from '../grammar/chars'
import { attempt, fail } from '../grammar/failure'
import { encodeText } from '../grammar/text'
import { type Wire, wireOf } from '../grammar/wire'
import { parametersMax } from '../limits'
import { scanComponent } from './escape'
import { isTelNumber, isTelParamName, isTelParamValue } from './tel-grammar'
import { TelUri } from './tel-uri'

/** Reads a whole URI that begins with "tel:"; undefined when it is malformed. */
export function readTel(text: string): TelUri | undefined {
  const wire = wireOf(encodeText(text))
  const result = attempt(() => decodeTelUri(wire, 0, 4, wire.text.length))
  return result.ok ? result.value : undefined
}

/** The codec: the URI is exactly the range, its number begins at `from`. */
export function decodeTelUri(wire: Wire, start: number, from: number, end: number): TelUri {
  let numberEnd = from
  while (numberEnd < end && wire.bytes[numberEnd]! !== 0x3b) numberEnd += 1
  const number = wire.text.slice(from, numberEnd)
  if (!isTelNumber(number)) fail('URI_INVALID', from)
  const hasContext = numberEnd < end && scanTelParams(wire, numberEnd, end)
  // A local number means nothing without its context.
  if (!hasContext && !number.startsWith('+')) fail('URI_INVALID', numberEnd)
  return new TelUri(number, wire.text.slice(numberEnd, end), wire.text.slice(start, end))
}

/** Checks the parameters up to `end`, which must be their end; true when phone-context is among them. */
function scanTelParams(wire: Wire, start: number, end: number): boolean {
  const seen = new Set<string>()
  let position = start
  while (position < end) {
    if (wire.bytes[position]! !== 0x3b) fail('URI_INVALID', position)
    if (seen.size >= parametersMax) fail('TOO_MANY_PARAMETERS', position)
    const nameStart = position + 1
    position = scanComponent(wire, nameStart, end, URI_PARAM)
    if (position === nameStart)
      fail(position >= end || wire.bytes[position] === 0x3b ? 'EMPTY_PARAMETER' : 'URI_INVALID', position)
    const name = wire.text.slice(nameStart, position).toLowerCase()
    if (!isTelParamName(name)) fail('URI_INVALID', nameStart)
    if (seen.has(name)) fail('PARAMETER_REPEATED', nameStart)
    seen.add(name)
    position = scanTelValue(wire, name, position, end)
  }
  return seen.has('phone-context')
}

/** Checks the value after the name that ends at `nameEnd`; returns the position after it. */
function scanTelValue(wire: Wire, name: string, nameEnd: number, end: number): number {
  let position = nameEnd
  let value: string | null = null
  if (position < end && wire.bytes[position] === 0x3d) {
    position =
      name === 'isub' ? scanSubaddress(wire, nameEnd + 1, end) : scanComponent(wire, nameEnd + 1, end, URI_PARAM)
    value = wire.text.slice(nameEnd + 1, position)
  }
  if (!isTelParamValue(name, value)) fail('URI_INVALID', value === null ? nameEnd : nameEnd + 1)
  return position
}

/** A subaddress may hold all that a URI may, but for the semicolon that ends it. */
function scanSubaddress(wire: Wire, start: number, end: number): number {
  let position = scanComponent(wire, start, end, URI_PARAM)
  while (position < end && isSubaddressByte(wire.bytes[position]!)) {
    position = scanComponent(wire, position + 1, end, URI_PARAM)
  }
  return position
}

/** "?", "@", "=" and "," */
function isSubaddressByte(code: number): boolean {
  return (charFlags[code]! & URI_PARAM) === 0 && (code === 0x3f || code === 0x40 || code === 0x3d || code === 0x2c)
}
