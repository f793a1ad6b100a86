/** The lines that a section of the model stands for, by kind, as they are written when nothing says otherwise (RFC 8866 §5). */
import type { LineKind } from './layout'
import type { MediaLine } from './read-lines'
import type {
  Attribute,
  Bandwidth,
  Connection,
  MediaDescription,
  Origin,
  OtherLine,
  SessionDescription,
  Timing,
} from './session'

/** Lines by kind, each kind in order. */
export type Lines = { readonly [K in LineKind]?: readonly string[] }

/** The lines of the session section. `hasName` false leaves out an `s=-`, which stands for no name. */
export function linesOfSession(sdp: SessionDescription, hasName: boolean): Lines {
  return {
    v: ['v=0'],
    o: [originLine(sdp.origin)],
    s: hasName || sdp.name !== '-' ? [`s=${sdp.name}`] : [],
    i: sdp.info === undefined ? [] : [`i=${sdp.info}`],
    u: sdp.uri === undefined ? [] : [`u=${sdp.uri}`],
    e: sdp.emails.map((email) => `e=${email}`),
    p: sdp.phones.map((phone) => `p=${phone}`),
    c: sdp.connection === undefined ? [] : [connectionLine(sdp.connection)],
    b: sdp.bandwidth.map(bandwidthLine),
    t: sdp.timing.flatMap((timing) => [timingLine(timing), ...timing.repeats.map((repeat) => `r=${repeat}`)]),
    '?': sdp.otherLines.map(otherLine),
    a: sdp.attributes.map(attributeLine),
  }
}

/** The lines of one medium. */
export function linesOfMedia(media: MediaDescription): Lines {
  const connections = [
    ...(media.connection === undefined ? [] : [media.connection]),
    ...(media.furtherConnections ?? []),
  ]
  return {
    m: [mediaLine(media)],
    i: media.title === undefined ? [] : [`i=${media.title}`],
    c: connections.map(connectionLine),
    b: media.bandwidth.map(bandwidthLine),
    '?': media.otherLines.map(otherLine),
    a: media.attributes.map(attributeLine),
  }
}

/** An `o=` line. */
export function originLine(origin: Origin): string {
  const { username, sessionId, sessionVersion, netType, family, address } = origin
  return `o=${username} ${sessionId} ${sessionVersion} ${netType} ${family} ${address}`
}

/** A `c=` line. */
export function connectionLine(connection: Connection): string {
  return `c=${connection.netType} ${connection.family} ${connection.address}${connection.suffix ?? ''}`
}

/** A `t=` line, without the repeats that follow it. */
export function timingLine(timing: Timing): string {
  return `t=${timing.start} ${timing.stop}`
}

/** An `m=` line. */
export function mediaLine(media: MediaLine): string {
  const port = media.portCount === undefined ? `${media.port}` : `${media.port}/${media.portCount}`
  return [`m=${media.media}`, port, media.protocol, ...media.formats].join(' ')
}

/** An `a=` line. */
export function attributeLine({ name, value }: Attribute): string {
  return value === undefined ? `a=${name}` : `a=${name}:${value}`
}

function bandwidthLine({ modifier, value }: Bandwidth): string {
  return `b=${modifier}:${value}`
}

function otherLine({ type, value }: OtherLine): string {
  return `${type}=${value}`
}
