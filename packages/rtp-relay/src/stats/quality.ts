/**
 * How one direction of one stream has been over time: packets, loss, jitter and MOS in intervals. Their number is fixed:
 * when all are used, each two become one, and further ones last twice as long. Sampled by the clock, never per packet.
 */
import { qualityIntervalMs, qualityIntervals } from '../limits'
import { burstRatioOf, type CodecImpairment, mosOf, ratingOf } from './e-model'

/** One interval of a history. Plain data. */
export interface QualityInterval {
  /** From its end to the moment of the snapshot. */
  readonly ageMs: number
  /** Packets that came, duplicates left out. */
  readonly packets: number
  readonly lost: number
  readonly jitterMs: number
  /** Absent where nothing came, and for codecs that the E-model does not know. */
  readonly mos?: number
}

/** The quality of one direction, by the E-model (ITU-T G.107). Plain data. */
export interface StreamQuality {
  /** Of the worst interval. This and the next three are absent where no interval has a MOS. */
  readonly mosMin?: number
  /** Over the whole, by packets. */
  readonly mosAverage?: number
  /** Of the last interval. */
  readonly mosLast?: number
  /** The transmission rating R over the whole, by packets: 93.2 at best. */
  readonly rFactor?: number
  /** Oldest first. Left out of what is kept of a session for the case that its worker crashes. */
  readonly intervals: readonly QualityInterval[]
}

/** The counters that are sampled; all but jitter only grow, but a packet that comes late takes a loss back. */
export interface QualitySource {
  readonly packets: number
  readonly duplicates: number
  readonly lost: number
  readonly gaps: number
  readonly jitterMs: number
}

const END = 0
const PACKETS = 1
const LOST = 2
const JITTER = 3
const MOS = 4
const COLUMNS = 5

/** A packet of speech is spoken before it is sent. */
const packetMs = 20
/** How many times the jitter a receiver waits before it plays. */
const jitterBuffer = 2

/** The history of one direction. */
export class QualityHistory {
  /** When the present interval ends. */
  dueMs: number

  private readonly rows = new Float32Array(qualityIntervals * COLUMNS)
  private count = 0
  private intervalMs = qualityIntervalMs
  private packets = 0
  private lost = 0
  private gaps = 0
  private mosMin = 0
  private mosLast = 0
  private mosSum = 0
  private ratingSum = 0
  private weight = 0

  constructor(private readonly startMs: number) {
    this.dueMs = startMs + qualityIntervalMs
  }

  /** Something has come in the present interval. */
  hasNews(source: QualitySource): boolean {
    return source.packets - source.duplicates !== this.packets
  }

  /** Ends the present interval. `roundTripMs`: between both parties, 0 when unknown. */
  sample(source: QualitySource, codec: CodecImpairment | undefined, roundTripMs: number, nowMs: number): void {
    const unique = source.packets - source.duplicates
    const packets = unique - this.packets
    const lost = Math.max(0, source.lost - this.lost)
    const gaps = source.gaps - this.gaps
    this.packets = unique
    this.lost = source.lost
    this.gaps = source.gaps
    const { jitterMs } = source
    let mos = 0
    if (packets > 0 && codec !== undefined) {
      const loss = lost / (packets + lost)
      const delayMs = roundTripMs / 2 + jitterMs * jitterBuffer + packetMs
      const rating = ratingOf(codec, { loss, burstRatio: burstRatioOf(lost, gaps, loss), delayMs })
      mos = mosOf(rating)
      this.mosMin = this.weight === 0 ? mos : Math.min(this.mosMin, mos)
      this.mosLast = mos
      this.mosSum += mos * packets
      this.ratingSum += rating * packets
      this.weight += packets
    }
    this.append(nowMs - this.startMs, packets, lost, jitterMs, mos)
    this.dueMs = nowMs + this.intervalMs
  }

  /** What is known; the result shares nothing with the history. `isBrief` leaves the intervals out. */
  snapshot(nowMs: number, isBrief: boolean): StreamQuality {
    const { weight, startMs } = this
    const intervals: QualityInterval[] = []
    for (let index = 0; index < this.count && !isBrief; index++) {
      const mos = this.cell(index, MOS)
      intervals.push({
        ageMs: Math.max(0, Math.round(nowMs - startMs - this.cell(index, END))),
        packets: this.cell(index, PACKETS),
        lost: this.cell(index, LOST),
        jitterMs: this.cell(index, JITTER),
        ...(mos === 0 ? {} : { mos }),
      })
    }
    if (weight === 0) return { intervals }
    const { mosMin, mosLast } = this
    return { mosMin, mosAverage: this.mosSum / weight, mosLast, rFactor: this.ratingSum / weight, intervals }
  }

  private append(endMs: number, packets: number, lost: number, jitterMs: number, mos: number): void {
    if (this.count === qualityIntervals) this.halve()
    const row = this.count * COLUMNS
    this.rows[row + END] = endMs
    this.rows[row + PACKETS] = packets
    this.rows[row + LOST] = lost
    this.rows[row + JITTER] = jitterMs
    this.rows[row + MOS] = mos
    this.count++
  }

  private halve(): void {
    for (let index = 0; index < qualityIntervals; index += 2) {
      const [first, second] = [index, index + 1]
      const into = (index / 2) * COLUMNS
      const jitter = this.mean(first, second, JITTER)
      const mos = this.mean(first, second, MOS)
      const packets = this.cell(first, PACKETS) + this.cell(second, PACKETS)
      const lost = this.cell(first, LOST) + this.cell(second, LOST)
      this.rows[into + END] = this.cell(second, END)
      this.rows[into + PACKETS] = packets
      this.rows[into + LOST] = lost
      this.rows[into + JITTER] = jitter
      this.rows[into + MOS] = mos
    }
    this.count = qualityIntervals / 2
    this.intervalMs *= 2
  }

  /** By packets; an interval that has no value does not count. */
  private mean(first: number, second: number, column: number): number {
    const [x, y] = [this.cell(first, column), this.cell(second, column)]
    const weightX = column === MOS && x === 0 ? 0 : this.cell(first, PACKETS)
    const weightY = column === MOS && y === 0 ? 0 : this.cell(second, PACKETS)
    return weightX + weightY === 0 ? 0 : (x * weightX + y * weightY) / (weightX + weightY)
  }

  private cell(index: number, column: number): number {
    return this.rows[index * COLUMNS + column]!
  }
}
