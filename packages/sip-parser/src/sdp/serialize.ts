/** Session description serializer, in the line order of RFC 8866 §5, each line ended by CRLF. */
import type { Attribute, Bandwidth, Connection, MediaDescription, OtherLine, SessionDescription } from './session'

/**
 * Writes a session description. What was parsed from lines in RFC order comes out as it came in; lines that the model
 * has no field for stand before the attributes of their section. CR, LF and NUL in a value end the value: a field
 * built from foreign text can never begin a line of its own.
 */
export function serializeSdp(sdp: SessionDescription): string {
  const lines: string[] = ['v=0']
  const { origin } = sdp
  lines.push(
    `o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} ${origin.netType} ${origin.family} ${origin.address}`,
    `s=${sdp.name}`,
  )
  if (sdp.info !== undefined) lines.push(`i=${sdp.info}`)
  if (sdp.uri !== undefined) lines.push(`u=${sdp.uri}`)
  for (const email of sdp.emails) lines.push(`e=${email}`)
  for (const phone of sdp.phones) lines.push(`p=${phone}`)
  if (sdp.connection !== undefined) lines.push(connectionLine(sdp.connection))
  pushBandwidth(lines, sdp.bandwidth)
  for (const timing of sdp.timing) {
    lines.push(`t=${timing.start} ${timing.stop}`)
    for (const repeat of timing.repeats) lines.push(`r=${repeat}`)
  }
  pushRest(lines, sdp.otherLines, sdp.attributes)
  for (const media of sdp.media) pushMedia(lines, media)
  let text = ''
  for (const line of lines) text += `${oneLine(line)}\r\n`
  return text
}

function pushMedia(lines: string[], media: MediaDescription): void {
  const port = media.portCount === undefined ? `${media.port}` : `${media.port}/${media.portCount}`
  lines.push([`m=${media.media}`, port, media.protocol, ...media.formats].join(' '))
  if (media.title !== undefined) lines.push(`i=${media.title}`)
  if (media.connection !== undefined) lines.push(connectionLine(media.connection))
  for (const connection of media.furtherConnections ?? []) lines.push(connectionLine(connection))
  pushBandwidth(lines, media.bandwidth)
  pushRest(lines, media.otherLines, media.attributes)
}

function pushBandwidth(lines: string[], bandwidth: readonly Bandwidth[]): void {
  for (const { modifier, value } of bandwidth) lines.push(`b=${modifier}:${value}`)
}

function pushRest(lines: string[], otherLines: readonly OtherLine[], attributes: readonly Attribute[]): void {
  for (const { type, value } of otherLines) lines.push(`${type}=${value}`)
  for (const { name, value } of attributes) lines.push(value === undefined ? `a=${name}` : `a=${name}:${value}`)
}

function connectionLine(connection: Connection): string {
  return `c=${connection.netType} ${connection.family} ${connection.address}${connection.suffix ?? ''}`
}

function oneLine(line: string): string {
  const end = line.search(/[\r\n\0]/)
  return end < 0 ? line : line.slice(0, end)
}
