/** What a session description comes to, for a trace: no keys, no attributes but codecs and direction. Pure. */
import { codecsOf, connectionOf, directionOf, parseSdp } from '@carillon/sip-parser/sdp'

/** One medium of a description. */
export interface MediaSummary {
  /** `audio`, `video`, … */
  readonly media: string
  /** Where it is to be received; undefined when the description does not say. */
  readonly address: string | undefined
  /** 0 when the medium is refused. */
  readonly port: number
  readonly protocol: string
  /** Names of the codecs, in order; formats where there are none. */
  readonly codecs: readonly string[]
  readonly direction: string
}

/** Media of one description that are summed up, and codecs of one medium. */
const mediaMax = 8
const codecsMax = 16

/** Sums a description up; undefined when it cannot be read. */
export function summariseSdp(sdp: Uint8Array): readonly MediaSummary[] | undefined {
  const parsed = parseSdp(sdp)
  if (!parsed.ok) return undefined
  const session = parsed.value
  return session.media.slice(0, mediaMax).map((medium) => {
    const codecs = codecsOf(medium).map(({ name, payloadType }) => (name === 'unknown' ? `${payloadType}` : name))
    const { media, port, protocol, formats } = medium
    return {
      media,
      address: connectionOf(medium, session)?.address,
      port,
      protocol,
      codecs: (codecs.length > 0 ? codecs : formats).slice(0, codecsMax),
      direction: directionOf(medium, session),
    }
  })
}

/** One medium as a line: `audio 192.0.2.1:4000 PCMU PCMA sendrecv`. */
export function mediaLine(summary: MediaSummary): string {
  const { media, address = '?', port, codecs, direction } = summary
  if (port === 0) return `${media} refused`
  const host = address.includes(':') ? `[${address}]` : address
  return [media, `${host}:${port}`, ...codecs, direction].join(' ')
}
