/** What is kept for each synchronization source of one direction: its index, its replay window, its key stream. */
import { srtpSourcesMax } from '../limits'
import { KeyStreamAhead } from './key-stream'
import { PacketWindow } from './packet-window'

/** One source, of RTP or of RTCP. */
export class Source {
  readonly window: PacketWindow
  readonly stream: KeyStreamAhead
  /** When it was last used, counted in packets of its direction. */
  usedAt = 0

  constructor(
    public ssrc: number,
    windowSize: number | undefined,
    isSteady: boolean,
  ) {
    this.window = new PacketWindow(windowSize)
    this.stream = new KeyStreamAhead(isSteady)
  }
}

const none: readonly Source[] = []

/** The sources of one direction, found by number; the last one is found at once. */
export class Sources {
  /** Mostly one: a list is smaller than a map, and as quick. */
  private all: readonly Source[] = none
  private last: Source | undefined
  /** For the next source that nobody knows: who sends forged packets makes no garbage. */
  private spare: Source | undefined
  private uses = 0

  /** @param mayReplace the longest silent source makes room for a new one, where that does no harm */
  constructor(
    private readonly windowSize: number | undefined,
    private readonly isSteady: boolean,
    private readonly mayReplace: boolean,
  ) {}

  /** How many there are. */
  get size(): number {
    return this.all.length
  }

  /** The source with that number, where it is known. */
  find(ssrc: number): Source | undefined {
    const { last } = this
    if (last !== undefined && last.ssrc === ssrc) return last
    return this.all.find((source) => source.ssrc === ssrc)
  }

  /** A source that nobody has heard of yet; it is not kept before {@link use}. */
  fresh(ssrc: number): Source {
    this.spare ??= new Source(ssrc, this.windowSize, this.isSteady)
    this.spare.ssrc = ssrc
    return this.spare
  }

  /** False when a new source would be one too many. */
  hasRoom(): boolean {
    return this.mayReplace || this.all.length < srtpSourcesMax
  }

  /** A packet of that source is good: from now on it is known. */
  use(source: Source): void {
    this.uses++
    source.usedAt = this.uses
    if (this.last === source) return
    this.last = source
    if (this.spare !== source) return
    this.spare = undefined
    if (this.all.length >= srtpSourcesMax) this.dropOldest()
    // An array that is pushed to has room for sixteen more.
    this.all = [...this.all, source]
  }

  /** Forgets all of them. */
  wipe(): void {
    for (const source of this.all) source.stream.wipe()
    this.all = none
    this.last = undefined
  }

  private dropOldest(): void {
    let oldest = 0
    for (const [at, source] of this.all.entries()) if (source.usedAt < this.all[oldest]!.usedAt) oldest = at
    this.all[oldest]?.stream.wipe()
    this.all = this.all.filter((_, at) => at !== oldest)
  }
}
