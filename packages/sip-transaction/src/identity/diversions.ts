/** Who sent a call on: Diversion (RFC 5806), and how it is told in History-Info (RFC 7544). Pure. */
import {
  Diversion,
  HistoryEntry,
  NameAddr,
  type SipRequest,
  type SipResponse,
  SipUri,
  type Uri,
} from '@carillon/sip-parser'
import type { HeaderChanges } from '../endpoint/proxy/proxy-options'
import { diversionsMax } from '../limits'
import { causeOf, historyEntry } from './history-entries'
import { childIndex } from './history-index'

/** Why a call was diverted (RFC 5806 §4); others are read as they come. */
export type DiversionReason =
  | 'unknown'
  | 'user-busy'
  | 'no-answer'
  | 'unavailable'
  | 'unconditional'
  | 'time-of-day'
  | 'do-not-disturb'
  | 'deflection'
  | 'follow-me'
  | 'out-of-service'
  | 'away'

/** A diversion to be told. */
export interface DiversionInit {
  /** Whom the call was for. */
  readonly from: NameAddr | Uri
  readonly reason: DiversionReason
  /** How many diversions it stands for; 1 when absent. */
  readonly counter?: number
  /** How many more there may be. */
  readonly limit?: number
  /** What of it is not to be shown. */
  readonly privacy?: 'full' | 'name' | 'uri' | 'off'
  /** Whether the diverting number was checked. */
  readonly screen?: boolean
}

/** The diversions of a message, the last one first (RFC 5806 §4); none when they are malformed. */
export function diversionsOf(message: SipRequest | SipResponse): readonly Diversion[] {
  const read = message.decode('diversions')
  return read.ok ? read.value.slice(0, diversionsMax) : []
}

/** How often a call was diverted: what each of its diversions stands for. */
export function diversionCount(diversions: readonly Diversion[]): number {
  return diversions.reduce((sum, { counter }) => sum + Math.max(1, counter ?? 1), 0)
}

/**
 * Whether a call may be diverted once more: fewer diversions so far than `max`, and than each of them allows after it
 * (`limit`). Without that a call that two users divert to each other goes round until Max-Forwards ends it.
 */
export function mayDivert(message: SipRequest, max: number): boolean {
  const diversions = diversionsOf(message)
  if (diversionCount(diversions) >= max) return false
  let since = 0
  for (const diversion of diversions) {
    const { limit } = diversion
    if (limit !== undefined && since >= limit) return false
    since += Math.max(1, diversion.counter ?? 1)
  }
  return true
}

/**
 * The changes that tell of one more diversion: it comes before those that are there, which stay as they came.
 * @throws SipUsageError VALUE_INVALID of the parser for what cannot be written
 */
export function divert(request: SipRequest, init: DiversionInit): HeaderChanges {
  const before = request.getAll('Diversion')
  return {
    remove: before.length > 0 ? ['Diversion'] : [],
    add: [diversion(init).toString(), ...before].map((value) => ['Diversion', value] as const),
  }
}

function diversion({ from, reason, counter, limit, privacy, screen }: DiversionInit): Diversion {
  const address = from instanceof NameAddr ? from : NameAddr.of({ uri: from })
  const params = new Map<string, string>([['reason', reason]])
  if (counter !== undefined) params.set('counter', String(counter))
  if (limit !== undefined) params.set('limit', String(limit))
  if (privacy !== undefined) params.set('privacy', privacy)
  if (screen !== undefined) params.set('screen', screen ? 'yes' : 'no')
  return Diversion.of({ displayName: address.displayName, uri: address.uri, params })
}

/** RFC 7544 §4 and §5: reasons of Diversion and causes of History-Info; what is not here is 404, unknown. */
const causes: Readonly<Record<string, string>> = {
  unconditional: '302',
  'user-busy': '486',
  'no-answer': '408',
  deflection: '480',
  unavailable: '503',
}
const reasons: Readonly<Record<string, DiversionReason>> = {
  302: 'unconditional',
  486: 'user-busy',
  408: 'no-answer',
  480: 'deflection',
  487: 'deflection',
  503: 'unavailable',
}

/** Stands for somebody whom a counter tells of, and nothing else (RFC 7544 §5). */
const unknownUri = SipUri.of({ user: 'unknown', host: 'unknown.invalid', params: { cause: '404' } })

/**
 * The diversions that a history tells of, the last one first (RFC 7544 §4): each entry with a cause was diverted to, by
 * the one that its `mp` names, or by the one before it.
 */
export function diversionsFromHistory(entries: readonly HistoryEntry[]): readonly Diversion[] {
  const byIndex = new Map(entries.map((entry) => [entry.index, entry]))
  const found: Diversion[] = []
  for (const [position, entry] of entries.entries()) {
    const cause = causeOf(entry.uri)
    const by = (entry.mp === undefined ? undefined : byIndex.get(entry.mp)) ?? entries[position - 1]
    if (cause === undefined || by === undefined) continue
    const isPrivate = by.privacy.includes('history')
    const { target, displayName } = by
    const bare = target instanceof SipUri && target.params.has('cause') ? target.withParam('cause', undefined) : target
    const params = { reason: reasons[cause] ?? 'unknown', counter: '1', privacy: isPrivate ? 'full' : 'off' }
    found.unshift(Diversion.of({ displayName, uri: bare, params }))
    if (found.length === diversionsMax) break
  }
  return found
}

/**
 * A history out of diversions (RFC 7544 §5): who diverted first is its root, and each of the others, and last of all the
 * target of the request, was diverted to by the one before. A counter above 1 stands for others whom nobody names.
 */
export function historyFromDiversions(diversions: readonly Diversion[], target: Uri): readonly HistoryEntry[] {
  const entries: HistoryEntry[] = []
  let index = '1'
  let cause: string | undefined
  const add = (uri: Uri, isPrivate: boolean, displayName?: string) => {
    const from = cause === undefined ? undefined : { kind: 'mp' as const, index }
    if (entries.length > 0) index = childIndex(index)
    const marked = cause === undefined || !(uri instanceof SipUri) ? uri : uri.withParam('cause', cause)
    const entry = historyEntry({ uri: marked, index, from, isPrivate })
    entries.push(displayName === undefined || isPrivate ? entry : named(entry, displayName))
  }
  for (const { uri, displayName, reason, privacy, counter = 1 } of [...diversions].reverse()) {
    const more = Math.min(counter - 1, diversionsMax - entries.length - diversions.length)
    for (let unnamed = 0; unnamed < more; unnamed += 1) {
      add(unknownUri, false)
      cause = '404'
    }
    add(uri, privacy !== undefined && privacy !== 'off', displayName)
    cause = causes[reason ?? ''] ?? '404'
  }
  add(target, false)
  return entries
}

function named(entry: HistoryEntry, displayName: string): HistoryEntry {
  return HistoryEntry.of({ displayName, uri: entry.uri, params: entry.params })
}
