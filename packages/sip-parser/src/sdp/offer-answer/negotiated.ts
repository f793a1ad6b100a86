/** What an exchange has settled, seen from one side (RFC 3264 §6.1, §7). */
import { type Direction, reverseDirection } from '../attributes/direction'
import { type Codec, codecsOf } from '../attributes/rtpmap'
import type { MediaDescription, SessionDescription } from '../session'
import { directionFor, effectiveDirection, receives, sends } from './direction'

/** One medium after an exchange. */
export interface NegotiatedMedia {
  /** False when either side closed or refused it. */
  readonly isOpen: boolean
  /** What this side may do with it now. */
  readonly direction: Direction
  /** Codecs that the other side takes, its most wanted first, under its payload types. */
  readonly send: readonly Codec[]
  /** Codecs that the other side may send, under the payload types of this side. */
  readonly receive: readonly Codec[]
  readonly local: MediaDescription
  readonly remote: MediaDescription
}

/** What holds after `local` and `remote` were exchanged, whichever was the offer; media that one side lacks are left out. */
export function negotiatedMedia(local: SessionDescription, remote: SessionDescription): readonly NegotiatedMedia[] {
  const result: NegotiatedMedia[] = []
  for (const [index, own] of local.media.entries()) {
    const theirs = remote.media[index]
    if (theirs === undefined) break
    const isOpen = own.port !== 0 && theirs.port !== 0
    const mine = effectiveDirection(own, local)
    const mirrored = reverseDirection(effectiveDirection(theirs, remote))
    const direction = directionFor(sends(mine) && sends(mirrored), receives(mine) && receives(mirrored))
    result.push({
      isOpen,
      direction: isOpen ? direction : 'inactive',
      send: isOpen ? codecsInCommon(theirs, own) : [],
      receive: isOpen ? codecsInCommon(own, theirs) : [],
      local: own,
      remote: theirs,
    })
  }
  return result
}

function codecsInCommon(listed: MediaDescription, other: MediaDescription): readonly Codec[] {
  const names = new Set(codecsOf(other).map(keyOf))
  return codecsOf(listed).filter((codec) => names.has(keyOf(codec)))
}

function keyOf({ name, clockRate, channels, payloadType }: Codec): string {
  return name === 'unknown' ? `#${payloadType}` : `${name.toLowerCase()}/${clockRate}/${channels}`
}
