/** Changes of a session that is going on: new versions, hold, streams added and closed (RFC 3264 §8). */
import { directionOf, withDirection } from '../attributes/direction'
import { serializeSdp } from '../serialize'
import type { MediaDescription, SessionDescription } from '../session'
import { directionFor, receives, sends } from './direction'
import { closedMedia } from './media-lines'

/**
 * A description as the next one after `previous` of the same sender: the `o=` line is that of `previous`, its version one
 * higher if anything else has changed (RFC 3264 §8).
 */
export function nextVersion(previous: SessionDescription, next: SessionDescription): SessionDescription {
  const same: SessionDescription = { ...next, origin: previous.origin }
  if (serializeSdp(same, { lineEnds: 'crlf' }) === serializeSdp(previous, { lineEnds: 'crlf' })) return same
  return { ...same, origin: { ...previous.origin, sessionVersion: increment(previous.origin.sessionVersion) } }
}

/**
 * A new offer with other media: an entry for each medium there was, undefined to close it, and further entries for new
 * ones. A new medium takes the place of one that was closed before, if `reuseClosed` says so (RFC 3264 §8.1).
 */
export function reoffer(
  previous: SessionDescription,
  media: readonly (MediaDescription | undefined)[],
  reuseClosed = false,
): SessionDescription {
  const result = previous.media.map((old, index) => media[index] ?? closedMedia(old))
  for (const added of media.slice(previous.media.length)) {
    if (added === undefined) continue
    const place = reuseClosed ? previous.media.findIndex((old, at) => old.port === 0 && result[at]!.port === 0) : -1
    if (place < 0) result.push(added)
    else result[place] = added
  }
  return nextVersion(previous, { ...previous, media: result })
}

/** A new offer that puts a medium, or all, on hold: it still sends if it did, and receives no more (RFC 3264 §8.4). */
export function holdOffer(previous: SessionDescription, index?: number): SessionDescription {
  return redirected(previous, index, (isSending) => [isSending, false])
}

/** A new offer that takes a medium, or all, off hold: it receives again. */
export function resumeOffer(previous: SessionDescription, index?: number): SessionDescription {
  return redirected(previous, index, (isSending) => [isSending, true])
}

function redirected(
  previous: SessionDescription,
  index: number | undefined,
  change: (isSending: boolean, isReceiving: boolean) => [isSending: boolean, isReceiving: boolean],
): SessionDescription {
  const media = previous.media.map((old, at) => {
    if (old.port === 0 || (index !== undefined && index !== at)) return old
    const direction = directionOf(old, previous)
    const wanted = directionFor(...change(sends(direction), receives(direction)))
    return wanted === direction ? old : explicit(old, previous, wanted)
  })
  return nextVersion(previous, { ...previous, media })
}

/** Said on the medium itself where the session says something else. */
function explicit(
  media: MediaDescription,
  session: SessionDescription,
  direction: ReturnType<typeof directionOf>,
): MediaDescription {
  const changed = withDirection(media, direction)
  if (directionOf(changed, session) === direction) return changed
  return { ...changed, attributes: [...changed.attributes, { name: direction }] }
}

/** Versions are kept as text: they may be larger than what a number holds. */
function increment(version: string): string {
  return /^\d{1,40}$/.test(version) ? String(BigInt(version) + 1n) : '1'
}
