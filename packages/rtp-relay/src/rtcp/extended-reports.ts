/** Extended reports (RFC 3611). */
import { OctetReader, type OctetWriter } from './octets'
import { reportBlockTypes } from './packet-types'

/** A stretch of packets of one source, from `begin` up to but not including `end` (RFC 3611 §4.1). */
interface Stretch {
  readonly ssrc: number
  readonly begin: number
  readonly end: number
}

/** Which packets were lost, or came twice (RFC 3611 §4.1, §4.2). */
export interface RunLengths extends Stretch {
  readonly block: 'LOSS_RLE' | 'DUPLICATE_RLE'
  /** Only sequence numbers that are multiples of 2 to this were looked at; 0 to 15. */
  readonly thinning: number
  /** Run lengths and bit vectors of 16 bits. The null chunks at the end, which fill up the last word, are left out. */
  readonly chunks: readonly number[]
}

/** When packets came, in units of the RTP timestamp (RFC 3611 §4.3). */
export interface ReceiptTimes extends Stretch {
  readonly block: 'RECEIPT_TIMES'
  readonly thinning: number
  readonly times: readonly number[]
}

/** The receiver's time (RFC 3611 §4.4). */
export interface ReferenceTime {
  readonly block: 'REFERENCE_TIME'
  readonly ntpSeconds: number
  readonly ntpFraction: number
}

/** How long ago receivers' times came (RFC 3611 §4.5). */
export interface DelaySinceReceiverReport {
  readonly block: 'DLRR'
  readonly entries: readonly { readonly ssrc: number; readonly lastReport: number; readonly delay: number }[]
}

/** Counts over a stretch (RFC 3611 §4.6). What is not told is undefined. */
export interface StatisticsSummary extends Stretch {
  readonly block: 'STATISTICS'
  readonly lost?: number
  readonly duplicates?: number
  /** In units of the RTP timestamp. */
  readonly jitter?: Spread
  /** Time to live of IPv4, or hop limit of IPv6. */
  readonly hops?: Spread & { readonly family: 'IP4' | 'IP6' }
}

/** Least, most, mean and standard deviation. */
export interface Spread {
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly deviation: number
}

/** What a telephone judges of a call (RFC 3611 §4.7); all fields as they stand there, the levels signed. */
export interface VoipMetrics {
  readonly block: 'VOIP_METRICS'
  readonly ssrc: number
  /** Shares of 256 (§4.7.1, §4.7.2). */
  readonly lossRate: number
  readonly discardRate: number
  readonly burstDensity: number
  readonly gapDensity: number
  /** Milliseconds. */
  readonly burstDurationMs: number
  readonly gapDurationMs: number
  readonly roundTripMs: number
  readonly endSystemDelayMs: number
  /** dBm0; 127 is unknown (§4.7.4). */
  readonly signalLevel: number
  readonly noiseLevel: number
  /** dB; 127 is unknown. */
  readonly residualEchoReturnLoss: number
  readonly gapMinimum: number
  /** 0 to 100; 127 is unknown (§4.7.5). */
  readonly rFactor: number
  readonly externalRFactor: number
  /** Ten times the score; 127 is unknown. */
  readonly mosListening: number
  readonly mosConversational: number
  /** §4.7.6. */
  readonly receiverConfiguration: number
  readonly jitterBufferNominalMs: number
  readonly jitterBufferMaximumMs: number
  readonly jitterBufferAbsoluteMaximumMs: number
}

/** A block that is not read here. */
export interface OtherBlock {
  readonly block: 'OTHER'
  readonly blockType: number
  readonly typeSpecific: number
  readonly data: Uint8Array
}

/** Any block. */
export type ExtendedReportBlock =
  | RunLengths
  | ReceiptTimes
  | ReferenceTime
  | DelaySinceReceiverReport
  | StatisticsSummary
  | VoipMetrics
  | OtherBlock

/** RFC 3611 §2. */
export interface ExtendedReport {
  readonly type: 'XR'
  readonly ssrc: number
  readonly blocks: readonly ExtendedReportBlock[]
}

/** Reads the body of an extended report. */
export function readExtendedReport(body: OctetReader): ExtendedReport {
  const ssrc = body.u32()
  const blocks: ExtendedReportBlock[] = []
  while (body.left > 0 && !body.isBroken) {
    const blockType = body.u8()
    const typeSpecific = body.u8()
    const data = body.take(body.u16() * 4)
    const fields = new OctetReader(data)
    blocks.push(readBlock(blockType, typeSpecific, fields, data))
    if (fields.isBroken || fields.left > 0) body.isBroken = true
  }
  return { type: 'XR', ssrc, blocks }
}

/** Writes the body of an extended report. */
export function writeExtendedReport({ ssrc, blocks }: ExtendedReport, out: OctetWriter): number {
  out.uint(ssrc, 4, 'ssrc')
  for (const block of blocks) {
    out.uint(block.block === 'OTHER' ? otherType(block) : reportBlockTypes[block.block], 1, 'blockType')
    out.uint(typeSpecificOf(block, out), 1, 'typeSpecific')
    const lengthAt = out.size
    out.zeros(2)
    writeBlock(block, out)
    const bytes = out.size - lengthAt - 2
    if (bytes % 4 !== 0) throw new RangeError('data is not a multiple of four bytes')
    out.overwrite16(lengthAt, bytes / 4, 'the length of the block')
  }
  return 0
}

function readBlock(
  blockType: number,
  typeSpecific: number,
  fields: OctetReader,
  data: Uint8Array,
): ExtendedReportBlock {
  const thinning = typeSpecific & 0x0f
  switch (blockType) {
    case reportBlockTypes.LOSS_RLE:
    case reportBlockTypes.DUPLICATE_RLE: {
      const block = blockType === reportBlockTypes.LOSS_RLE ? 'LOSS_RLE' : 'DUPLICATE_RLE'
      return { block, thinning, ...readStretch(fields), chunks: readChunks(fields) }
    }
    case reportBlockTypes.RECEIPT_TIMES:
      return { block: 'RECEIPT_TIMES', thinning, ...readStretch(fields), times: readAll(fields, () => fields.u32()) }
    case reportBlockTypes.REFERENCE_TIME:
      return { block: 'REFERENCE_TIME', ntpSeconds: fields.u32(), ntpFraction: fields.u32() }
    case reportBlockTypes.DLRR: {
      const entry = () => ({ ssrc: fields.u32(), lastReport: fields.u32(), delay: fields.u32() })
      return { block: 'DLRR', entries: readAll(fields, entry) }
    }
    case reportBlockTypes.STATISTICS:
      return readStatistics(typeSpecific, fields)
    case reportBlockTypes.VOIP_METRICS:
      return readVoipMetrics(fields)
    default:
      return { block: 'OTHER', blockType, typeSpecific, data: fields.take(data.length) }
  }
}

function readAll<T>(fields: OctetReader, read: () => T): T[] {
  const all: T[] = []
  while (fields.left > 0 && !fields.isBroken) all.push(read())
  return all
}

/** Null chunks end the list (RFC 3611 §4.1.3). */
function readChunks(fields: OctetReader): number[] {
  const chunks = readAll(fields, () => fields.u16())
  while (chunks.at(-1) === 0) chunks.pop()
  return chunks
}

function readStretch(fields: OctetReader): Stretch {
  return { ssrc: fields.u32(), begin: fields.u16(), end: fields.u16() }
}

/** Bits of the byte that says what a summary tells. */
const told = { LOST: 0x80, DUPLICATES: 0x40, JITTER: 0x20 } as const

function readStatistics(flags: number, fields: OctetReader): StatisticsSummary {
  const stretch = readStretch(fields)
  const [lost, duplicates] = [fields.u32(), fields.u32()]
  const jitter = { min: fields.u32(), max: fields.u32(), mean: fields.u32(), deviation: fields.u32() }
  const hops = { min: fields.u8(), max: fields.u8(), mean: fields.u8(), deviation: fields.u8() }
  const kind = (flags >> 3) & 0b11
  return {
    block: 'STATISTICS',
    ...stretch,
    ...((flags & told.LOST) === 0 ? {} : { lost }),
    ...((flags & told.DUPLICATES) === 0 ? {} : { duplicates }),
    ...((flags & told.JITTER) === 0 ? {} : { jitter }),
    ...(kind === 1 || kind === 2 ? { hops: { family: kind === 1 ? 'IP4' : 'IP6', ...hops } } : {}),
  }
}

/** The type of an {@link OtherBlock}: one that is read here would read back as something else. */
function otherType({ blockType }: OtherBlock): number {
  const isKnown = Object.values<number>(reportBlockTypes).includes(blockType)
  if (isKnown) throw new RangeError(`blockType ${blockType} has a block of its own`)
  return blockType
}

function typeSpecificOf(block: ExtendedReportBlock, out: OctetWriter): number {
  switch (block.block) {
    case 'LOSS_RLE':
    case 'DUPLICATE_RLE':
    case 'RECEIPT_TIMES':
      return out.bits(block.thinning, 4, 'thinning')
    case 'STATISTICS': {
      const hops = block.hops === undefined ? 0 : block.hops.family === 'IP4' ? 1 : 2
      const flags = block.lost === undefined ? 0 : told.LOST
      const more = block.duplicates === undefined ? 0 : told.DUPLICATES
      return flags | more | (block.jitter === undefined ? 0 : told.JITTER) | (hops << 3)
    }
    case 'OTHER':
      return block.typeSpecific
    default:
      return 0
  }
}

function writeBlock(block: ExtendedReportBlock, out: OctetWriter): void {
  switch (block.block) {
    case 'LOSS_RLE':
    case 'DUPLICATE_RLE':
      writeStretch(block, out)
      if (block.chunks.at(-1) === 0) throw new RangeError('the last chunk is 0, which only fills up')
      for (const chunk of block.chunks) out.uint(chunk, 2, 'a chunk')
      if (block.chunks.length % 2 === 1) out.zeros(2)
      break
    case 'RECEIPT_TIMES':
      writeStretch(block, out)
      for (const time of block.times) out.uint(time, 4, 'a time')
      break
    case 'REFERENCE_TIME':
      out.uint(block.ntpSeconds, 4, 'ntpSeconds')
      out.uint(block.ntpFraction, 4, 'ntpFraction')
      break
    case 'DLRR':
      for (const { ssrc, lastReport, delay } of block.entries) {
        out.uint(ssrc, 4, 'ssrc')
        out.uint(lastReport, 4, 'lastReport')
        out.uint(delay, 4, 'delay')
      }
      break
    case 'STATISTICS':
      writeStretch(block, out)
      out.uint(block.lost ?? 0, 4, 'lost')
      out.uint(block.duplicates ?? 0, 4, 'duplicates')
      writeSpread(block.jitter, 4, out)
      writeSpread(block.hops, 1, out)
      break
    case 'VOIP_METRICS':
      writeVoipMetrics(block, out)
      break
    case 'OTHER':
      out.octets(block.data)
  }
}

function writeStretch({ ssrc, begin, end }: Stretch, out: OctetWriter): void {
  out.uint(ssrc, 4, 'ssrc')
  out.uint(begin, 2, 'begin')
  out.uint(end, 2, 'end')
}

function writeSpread(spread: Spread | undefined, bytes: 1 | 4, out: OctetWriter): void {
  const { min, max, mean, deviation } = spread ?? { min: 0, max: 0, mean: 0, deviation: 0 }
  for (const value of [min, max, mean, deviation]) out.uint(value, bytes, 'a value of a spread')
}

/** The fields of {@link VoipMetrics} in their order, with their bytes; 0 is a byte that is reserved, -1 a signed one. */
const voipLayout = [
  ['ssrc', 4],
  ['lossRate', 1],
  ['discardRate', 1],
  ['burstDensity', 1],
  ['gapDensity', 1],
  ['burstDurationMs', 2],
  ['gapDurationMs', 2],
  ['roundTripMs', 2],
  ['endSystemDelayMs', 2],
  ['signalLevel', -1],
  ['noiseLevel', -1],
  ['residualEchoReturnLoss', 1],
  ['gapMinimum', 1],
  ['rFactor', 1],
  ['externalRFactor', 1],
  ['mosListening', 1],
  ['mosConversational', 1],
  ['receiverConfiguration', 1],
  ['reserved', 0],
  ['jitterBufferNominalMs', 2],
  ['jitterBufferMaximumMs', 2],
  ['jitterBufferAbsoluteMaximumMs', 2],
] as const

function readVoipMetrics(fields: OctetReader): VoipMetrics {
  const read: Record<string, number> = {}
  for (const [name, bytes] of voipLayout) {
    if (bytes === 4) read[name] = fields.u32()
    else if (bytes === 2) read[name] = fields.u16()
    else if (bytes === -1) read[name] = (fields.u8() << 24) >> 24
    else if (bytes === 1) read[name] = fields.u8()
    else fields.u8()
  }
  return { block: 'VOIP_METRICS', ...read } as unknown as VoipMetrics
}

function writeVoipMetrics(block: VoipMetrics, out: OctetWriter): void {
  for (const [name, bytes] of voipLayout) {
    if (bytes === 0) {
      out.zeros(1)
      continue
    }
    const { [name]: value } = block
    if (bytes === -1) out.int8(value, name)
    else out.uint(value, bytes, name)
  }
}
