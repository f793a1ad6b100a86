/** Hold and its end in session descriptions: RFC 3264 §8.4, and the address 0.0.0.0 of RFC 2543. Pure. */
import { holdOffer, isHeld, parseSdp, resumeOffer, sdpToBytes } from '@carillon/sip-parser/sdp'

/** Whether a description holds its reader: every medium that is not refused is held. What cannot be read holds nobody. */
export function isHolding(sdp: Uint8Array | string | undefined): boolean {
  if (sdp === undefined) return false
  const parsed = parseSdp(typeof sdp === 'string' ? Buffer.from(sdp) : sdp)
  if (!parsed.ok) return false
  const open = parsed.value.media.filter(({ port }) => port !== 0)
  return open.length > 0 && open.every((media) => isHeld(media, parsed.value))
}

/** The next offer after that description of ours; undefined when there is none that could be changed. */
export function changedOffer(local: Uint8Array | string | undefined, kind: 'hold' | 'resume'): Uint8Array | undefined {
  if (local === undefined) return undefined
  const parsed = parseSdp(typeof local === 'string' ? Buffer.from(local) : local)
  if (!parsed.ok) return undefined
  return sdpToBytes(kind === 'hold' ? holdOffer(parsed.value) : resumeOffer(parsed.value))
}
