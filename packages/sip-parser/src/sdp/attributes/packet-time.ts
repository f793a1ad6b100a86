/** Lengths of packets: ptime, maxptime (RFC 8866 §6.4, §6.5). */
import { type AttributeCodec, valueCodec } from './codec'

/** Codec of `a=ptime`: the milliseconds of media that a packet should hold; a fraction is allowed. */
export const ptimeCodec: AttributeCodec<number> = packetTimeCodec('ptime')

/** Codec of `a=maxptime`: the milliseconds of media that a packet may hold at most. */
export const maxptimeCodec: AttributeCodec<number> = packetTimeCodec('maxptime')

function packetTimeCodec(name: string): AttributeCodec<number> {
  return valueCodec(
    name,
    'SDP_PACKET_TIME_INVALID',
    (reader) => {
      reader.optional(/ +/y)
      const start = reader.at
      const milliseconds = Number(reader.match(/\d{1,9}(?:\.\d{1,9})?/y))
      return milliseconds > 0 ? milliseconds : reader.fail(start)
    },
    String,
  )
}
