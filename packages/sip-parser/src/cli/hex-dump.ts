/** Hex dumps as `tcpdump -X`, `tshark -x`, Wireshark and `hexdump -C` write them, turned into bytes again. */
import { Buffer } from 'node:buffer'

/** One packet of a dump. */
export interface DumpedPacket {
  readonly bytes: Buffer
  /** The line above it. */
  readonly label?: string
}

/** An offset, then bytes in pairs of digits, one or two pairs together. What follows two spaces is their text. */
const LINE = /^\s*(?:0x)?([0-9a-f]{4,8}):?[ \t]+((?:(?:[0-9a-f]{2}){1,2}(?: {1,2}|$)){1,16})/i

/** The packets of a hex dump, or undefined when the input is none. */
export function hexDumpPackets(input: Buffer): readonly DumpedPacket[] | undefined {
  const whole = input.toString('latin1')
  if (!/(?:^|\n)[ \t]*(?:0x)?0{4,8}:?[ \t]/.test(whole)) return undefined
  const lines = whole.split(/\r?\n/)
  const packets: { pieces: Buffer[]; size: number; label: string | undefined }[] = []
  let label: string | undefined
  let dumped = 0
  let others = 0
  for (const line of lines) {
    const [, place, text] = LINE.exec(line) ?? []
    if (place === undefined || text === undefined) {
      if (line.trim() === '') continue
      label = line.trim().slice(0, 160)
      others++
      continue
    }
    const offset = Number.parseInt(place, 16)
    if (offset === 0) packets.push({ pieces: [], size: 0, label })
    const packet = packets[packets.length - 1]
    // A place that does not follow is text that looks like a dump.
    if (packet === undefined || offset !== packet.size) return undefined
    const bytes = Buffer.from(digitsOf(text), 'hex')
    packet.pieces.push(bytes)
    packet.size += bytes.length
    dumped++
  }
  if (dumped === 0 || others > dumped + 8) return undefined
  return packets.map(({ pieces, label: above }) => {
    return { bytes: Buffer.concat(pieces), ...(above === undefined ? {} : { label: above }) }
  })
}

/** At most sixteen bytes; the text column may look like hexadecimal digits as well. */
function digitsOf(text: string): string {
  return text.replace(/[^0-9a-f]/gi, '').slice(0, 32)
}
