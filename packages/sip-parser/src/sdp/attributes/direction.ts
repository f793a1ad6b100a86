/** Media direction and hold (RFC 8866 §6.7; RFC 3264 §5.1, §8.4). */
import type { Attribute, Connection, MediaDescription, SessionDescription } from '../session'
import type { HasAttributes } from './attribute'
import { type AttributeCodec, flagCodec } from './codec'

/** Which way media flows, seen from the one who wrote the description. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** Codecs of the four direction attributes by name. */
export const directionCodecs: { readonly [K in Direction]: AttributeCodec<true> } = {
  sendrecv: flagCodec('sendrecv'),
  sendonly: flagCodec('sendonly'),
  recvonly: flagCodec('recvonly'),
  inactive: flagCodec('inactive'),
}

/** What is `sendonly` for one side is `recvonly` for the other. */
export function reverseDirection(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly'
  return direction === 'recvonly' ? 'sendonly' : direction
}

/** A copy of a section with this direction alone; one that said none, and is sendrecv, still says none. */
export function withDirection<T extends HasAttributes>(section: T, direction: Direction): T {
  const place = section.attributes.findIndex(isDirection)
  if (place < 0 && direction === 'sendrecv') return section
  const attributes = section.attributes.filter((attribute, index) => index === place || !isDirection(attribute))
  if (place < 0) attributes.push({ name: direction })
  else attributes[place] = { name: direction }
  return { ...section, attributes }
}

/** The direction of a medium: its own attribute, else that of the session, else sendrecv. */
export function directionOf(media: HasAttributes, session?: HasAttributes): Direction {
  return ownDirection(media) ?? (session === undefined ? undefined : ownDirection(session)) ?? 'sendrecv'
}

/** The connection that holds for a medium: its own, else the session's. */
export function connectionOf(media: MediaDescription, session: SessionDescription): Connection | undefined {
  return media.connection ?? session.connection
}

/** True for the address that asks for no media at all, the way of RFC 2543 (RFC 3264 §8.4; RFC 6157 §3 for IPv6). */
export function isUnspecified(connection: Connection): boolean {
  return connection.address === '0.0.0.0' || (connection.family === 'IP6' && /^[0:]+$/.test(connection.address))
}

/** True when the writer holds the medium: it will not receive (sendonly, inactive) or has the unspecified address. */
export function isHeld(media: MediaDescription, session: SessionDescription): boolean {
  const direction = directionOf(media, session)
  const connection = connectionOf(media, session)
  return direction === 'sendonly' || direction === 'inactive' || (connection !== undefined && isUnspecified(connection))
}

function ownDirection(section: HasAttributes): Direction | undefined {
  return section.attributes.find(isDirection)?.name as Direction | undefined
}

function isDirection({ name, value }: Attribute): boolean {
  return (
    value === undefined && (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive')
  )
}
