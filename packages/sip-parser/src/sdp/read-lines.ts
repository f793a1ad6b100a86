/** The values of single lines (RFC 8866 §5, §9): origin, connection, timing, bandwidth, media. */
import type { SdpProblemCode } from './errors'
import type { Attribute, Connection, MediaDescription, Origin, Timing } from './session'

/** What an `m=` line says. */
export type MediaLine = Pick<MediaDescription, 'media' | 'port' | 'portCount' | 'protocol' | 'formats'>

/** The same, just read: the list is the reader's own. */
export type FreshMediaLine = MediaLine & { readonly formats: string[] }

/** The value of an `o=` line, or undefined. */
export function readOrigin(value: string): Origin | undefined {
  const fields = value.trim().split(/ +/)
  const [username, sessionId, sessionVersion, netType, family, address] = fields
  if (fields.length !== 6 || !username || !sessionId || !sessionVersion || !netType || !family || !address)
    return undefined
  return { username, sessionId, sessionVersion, netType, family, address }
}

/** The value of a `c=` line, or undefined. */
export function readConnection(value: string): Connection | undefined {
  const [, family, address, suffix] = /^IN +(IP4|IP6) +([^\s/]+)((?:\/\d{1,5}){1,2})? *$/.exec(value) ?? []
  if ((family !== 'IP4' && family !== 'IP6') || address === undefined) return undefined
  return { netType: 'IN', family, address, ...(suffix === undefined ? {} : { suffix }) }
}

/** The value of a `t=` line, without repeats, or undefined. */
export function readTiming(value: string): Timing | undefined {
  const [, start, stop] = /^(\d{1,20}) +(\d{1,20}) *$/.exec(value) ?? []
  return start === undefined || stop === undefined ? undefined : { start, stop, repeats: [] }
}

/** True for the value of a `b=` line that the model has a field for. */
export function isBandwidth(value: string): boolean {
  return /^[^:\s]+:\d{1,15}$/.test(value)
}

/** The value of an `a=` line, or undefined when it has no name. */
export function readAttribute(value: string): Attribute | undefined {
  const colon = value.indexOf(':')
  const name = colon < 0 ? value : value.slice(0, colon)
  if (name === '') return undefined
  return colon < 0 ? { name } : { name, value: value.slice(colon + 1) }
}

/** The value of an `m=` line, or why it is none. */
export function readMediaLine(value: string): FreshMediaLine | SdpProblemCode {
  const [media, portText, protocol, ...formats] = value.trim().split(/ +/)
  if (!media || portText === undefined || !protocol) return 'SDP_MEDIA_INVALID'
  const [, portDigits, countDigits] = /^(\d{1,5})(?:\/(\d{1,5}))?$/.exec(portText) ?? []
  const port = Number(portDigits)
  if (portDigits === undefined || port > 65_535) return 'SDP_PORT_INVALID'
  // A rejected stream needs no format to be understood; some peers leave them out.
  if (formats.length === 0 && port !== 0) return 'SDP_MEDIA_INVALID'
  return { media, port, ...(countDigits === undefined ? {} : { portCount: Number(countDigits) }), protocol, formats }
}
