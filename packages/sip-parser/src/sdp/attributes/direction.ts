/** Media direction and hold (RFC 8866 §6.7; RFC 3264 §5.1, §8.4). */
import type { Connection, MediaDescription, SessionDescription } from '../session'
import type { HasAttributes } from './attribute'

/** Which way media flows, seen from the one who wrote the description. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

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
  for (const { name, value } of section.attributes) {
    if (value !== undefined) continue
    if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') return name
  }
  return undefined
}
