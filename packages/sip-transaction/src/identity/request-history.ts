/**
 * The history of one request where it is retargeted: what came in History-Info, an entry for each target, and why targets
 * were left (RFC 7044 §9). The memory of it is the request's: nothing is kept of others. Pure.
 */
import { type HistoryEntry, type SipRequest, type SipResponse, SipUri, type Uri } from '@carillon/sip-parser'
import { historyEntriesMax, historyIndexLengthMax } from '../limits'
import { historyEntry, isSameTarget, type RetargetKind, readHistory, withReason } from './history-entries'
import { childIndex, compareIndexes, indexAfterGap } from './history-index'

/** How a target came about. */
export interface RetargetInit {
  /** `np` for the same URI, `rc` for the same user elsewhere, `mp` for another one, when absent. */
  readonly kind?: RetargetKind | undefined
  /** The index of the entry that it came from; that of the request when absent. */
  readonly from?: string | undefined
  /** True to have the entry hidden outside of the domain. */
  readonly isPrivate?: boolean | undefined
}

/** See the head of this file. */
export class RequestHistory {
  /** In the order of the tree. Targets are added when something is heard of them (§9.3). */
  private cache: HistoryEntry[]
  private children = 0

  private constructor(
    entries: readonly HistoryEntry[],
    private readonly uri: Uri,
    /** The index of the request as it came. */
    readonly index: string,
  ) {
    this.cache = [...entries]
    this.children = entries.reduce((most, entry) => Math.max(most, childNumber(index, entry.index)), 0)
  }

  /**
   * The history of a request that came in; an entry for its Request-URI is added where the hop before has added none
   * (§9.1). Undefined when there is a History-Info that cannot be read, or that has no room left: it is to pass as it is.
   */
  static of(request: SipRequest): RequestHistory | undefined {
    const entries = readHistory(request)
    if (entries === undefined || entries.length + 2 > historyEntriesMax) return undefined
    const { uri } = request
    const last = entries[entries.length - 1]
    const isTold = last !== undefined && isSameTarget(last.target, uri)
    const index = isTold ? last.index : last === undefined ? '1' : indexAfterGap(last.index)
    if (index.length + childLengthMax > historyIndexLengthMax) return undefined
    if (isTold) return new RequestHistory(entries, uri, index)
    return new RequestHistory([...entries, historyEntry({ uri, index })], uri, index)
  }

  /** What is known so far, in the order of the tree. */
  get entries(): readonly HistoryEntry[] {
    return this.cache
  }

  /** Makes the entry of a target that the request goes to next (§10.3); it is not among {@link entries} yet. */
  retarget(uri: Uri, { kind = this.kindOf(uri), from = this.index, isPrivate }: RetargetInit = {}): HistoryEntry {
    this.children += 1
    return historyEntry({ uri, index: childIndex(this.index, this.children), from: { kind, index: from }, isPrivate })
  }

  /** The entries of the request to a target: the history so far, and the target (§9.2). */
  entriesFor(entry: HistoryEntry): readonly HistoryEntry[] {
    return [...this.cache.filter(({ index }) => index !== entry.index), entry]
  }

  /** Takes what a response tells of the way behind a target (§9.3); of a failure also why the target was left. */
  answered(entry: HistoryEntry, response: SipResponse): void {
    const { status } = response
    if (status <= 100) return
    const reasons = response.decode('reasons')
    if (status >= 300) this.left(entry, status, reasons.ok ? reasons.value : [])
    else this.put(entry)
    for (const found of readHistory(response) ?? []) {
      // Of the rest of the tree it knows no more than we do.
      if (found.index.startsWith(`${entry.index}.`)) this.put(found)
    }
  }

  /** Takes that a target was left without an answer. */
  left(entry: HistoryEntry, status: number, reasons?: Parameters<typeof withReason>[2]): void {
    this.put(withReason(this.cache.find(({ index }) => index === entry.index) ?? entry, status, reasons))
  }

  private put(entry: HistoryEntry): void {
    const { cache } = this
    let at = cache.length
    while (at > 0 && compareIndexes(cache[at - 1]!.index, entry.index) > 0) at -= 1
    if (at > 0 && cache[at - 1]!.index === entry.index) {
      // What is known of it stays: without a reason it would be news of nothing.
      if (entry.reasons.length > 0) cache[at - 1] = entry
    } else if (cache.length < historyEntriesMax) cache.splice(at, 0, entry)
  }

  private kindOf(uri: Uri): RetargetKind {
    if (isSameTarget(this.uri, uri)) return 'np'
    const isSameUser = this.uri instanceof SipUri && uri instanceof SipUri && this.uri.user === uri.user
    return isSameUser ? 'rc' : 'mp'
  }
}

/** The dot and the digits that a child adds to an index, at most. */
const childLengthMax = 11

/** The number of a child, or of what stands below it; 0 for what is no child. */
function childNumber(parent: string, index: string): number {
  if (!index.startsWith(`${parent}.`)) return 0
  const [number = ''] = index.slice(parent.length + 1).split('.', 1)
  return number.length > 9 ? 0 : Number(number)
}
