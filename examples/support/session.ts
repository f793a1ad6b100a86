/** The session descriptions of the examples: audio that nobody plays. A real phone puts its own port here. */
import { answerOffer, createOffer, type LocalSession, parseSdp, serializeSdp } from '@carillon/sip-parser/sdp'

/** Where media goes that nobody wants (RFC 863). */
const discardPort = 9

/** What this side can do, at an address of its own. */
function sessionAt(address: string, port = discardPort): LocalSession {
  const family = address.includes(':') ? 'IP6' : 'IP4'
  return {
    origin: { username: '-', sessionId: '1', sessionVersion: '1', netType: 'IN', family, address },
    connection: { netType: 'IN', family, address },
    media: [
      {
        media: 'audio',
        protocols: ['RTP/AVP'],
        port,
        codecs: [
          { name: 'opus', clockRate: 48_000, channels: 2 },
          { name: 'PCMA', clockRate: 8_000 },
          { name: 'PCMU', clockRate: 8_000 },
          { name: 'telephone-event', clockRate: 8_000, fmtp: '0-16' },
        ],
      },
    ],
  }
}

/** An offer of everything. */
export function offer(address: string): string {
  return serializeSdp(createOffer(sessionAt(address)))
}

/** The answer that fits an offer (RFC 3264 §6); undefined when nothing in it fits. `port` is where its audio is heard. */
export function answer(offered: Uint8Array, address: string, port?: number): string | undefined {
  const parsed = parseSdp(offered)
  if (!parsed.ok) return undefined
  const answered = answerOffer(parsed.value, sessionAt(address, port))
  return answered.ok ? serializeSdp(answered.value) : undefined
}
