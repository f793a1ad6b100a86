/** Directions in an exchange (RFC 3264 §5.1, §6.1, §8.4). All are said from the point of view of who writes them. */
import { connectionOf, type Direction, directionOf, isUnspecified } from '../attributes/direction'
import type { MediaDescription, SessionDescription } from '../session'

/** True when media flow from the writer. */
export function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}

/** True when media flow to the writer. */
export function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}

/** The direction for two wishes. */
export function directionFor(isSending: boolean, isReceiving: boolean): Direction {
  if (isSending) return isReceiving ? 'sendrecv' : 'sendonly'
  return isReceiving ? 'recvonly' : 'inactive'
}

/** What to answer: no more than the offer allows and this side wants (RFC 3264 §6.1). */
export function answerDirection(offered: Direction, wanted: Direction): Direction {
  return directionFor(sends(wanted) && receives(offered), receives(wanted) && sends(offered))
}

/** True when a direction may answer another. */
export function isDirectionAnswer(offered: Direction, answered: Direction): boolean {
  return answerDirection(offered, answered) === answered
}

/**
 * The direction that a medium really offers: the unspecified address, an old way to hold, asks for nothing to be sent to
 * it (RFC 3264 §8.4), and a closed medium is inactive.
 */
export function effectiveDirection(media: MediaDescription, session: SessionDescription): Direction {
  if (media.port === 0) return 'inactive'
  const direction = directionOf(media, session)
  const connection = connectionOf(media, session)
  return connection !== undefined && isUnspecified(connection) ? directionFor(sends(direction), false) : direction
}
