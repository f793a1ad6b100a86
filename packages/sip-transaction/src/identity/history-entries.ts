/** Entries of History-Info: read, made, given a reason, hidden (RFC 7044 §5, §10.1, §10.2). Pure. */
import {
  HistoryEntry,
  Reason,
  reasonPhrase,
  type SipRequest,
  type SipResponse,
  SipUri,
  SipUsageError,
  TelUri,
  type Uri,
} from '@carillon/sip-parser'
import { historyEntriesMax } from '../limits'
import { anonymousUri } from './anonymous'
import { isIndex } from './history-index'

/**
 * How a target came about (RFC 7044 §10.4): `rc`, another address of the same user, a registered contact for instance;
 * `mp`, another user; `np`, nothing was changed.
 */
export type RetargetKind = 'rc' | 'mp' | 'np'

/** The History-Info of a message; undefined when it is malformed, too long, or an index is no index. */
export function readHistory(message: SipRequest | SipResponse): readonly HistoryEntry[] | undefined {
  if (!message.has('History-Info')) return []
  const read = message.decode('historyInfo')
  if (!read.ok || read.value.length > historyEntriesMax) return undefined
  return read.value.every(({ index }) => isIndex(index)) ? read.value : undefined
}

/** What belongs to a new entry. */
export interface HistoryEntryInit {
  readonly uri: Uri
  readonly index: string
  /** How the target came about, and from which entry. */
  readonly from?: { readonly kind: RetargetKind; readonly index: string } | undefined
  /** True to have it hidden outside of the domain (§10.1.1). */
  readonly isPrivate?: boolean | undefined
}

/** Makes an entry. A URI that has headers is written without them; one that was read but cannot be written names nobody. */
export function historyEntry({ uri, index, from, isPrivate }: HistoryEntryInit): HistoryEntry {
  const params = { index, ...(from === undefined ? {} : { [from.kind]: from.index }) }
  try {
    const bare = uri instanceof SipUri && uri.hasHeaders ? uri.with({ headers: undefined }) : uri
    const marked = isPrivate === true && bare instanceof SipUri ? bare.withHeader('Privacy', 'history') : bare
    return HistoryEntry.of({ uri: marked, params })
  } catch (error) {
    if (error instanceof SipUsageError) return HistoryEntry.of({ uri: anonymousUri, params })
    throw error
  }
}

/**
 * The entry with the reason why its target was left (§10.2): the status, and what the response itself says in Reason. An
 * entry whose URI takes no headers stays as it is.
 */
export function withReason(entry: HistoryEntry, status: number, reasons: readonly Reason[] = []): HistoryEntry {
  const { uri } = entry
  if (!(uri instanceof SipUri) || uri.headers.has('Reason') || entry.reasons.length > 0) return entry
  const own = Reason.of({ protocol: 'SIP', cause: status, text: reasonPhrase(status) })
  const others = reasons.filter(({ protocol }) => protocol.toUpperCase() !== 'SIP').slice(0, 1)
  const text = [own, ...others].join(',')
  return withUri(entry, uri.withHeader('Reason', text))
}

/** Which entries of the whole are private, when the message does not leave that to each of them. */
export interface HistoryPrivacy {
  /** True when the message asks for privacy of its whole history (Privacy: history, or header). */
  readonly isWhole: boolean
  /** The domains whose entries are then hidden; all when undefined. */
  readonly domains?: readonly string[] | undefined
}

/** The entries as a stranger may see them: those that are private name nobody, their places in the tree stay (§10.1.2). */
export function hidePrivate(
  entries: readonly HistoryEntry[],
  { isWhole, domains }: HistoryPrivacy,
): readonly HistoryEntry[] {
  const isOurs = (uri: Uri) => domains === undefined || (uri instanceof SipUri && domains.includes(uri.host))
  return entries.map((entry) => {
    const { privacy, uri } = entry
    const isPrivate = privacy.includes('history') || privacy.includes('header')
    if (!isPrivate && !(isWhole && isOurs(uri))) return entry
    const cause = causeOf(uri)
    const { index, rc, mp, np } = entry
    const params = Object.entries({ index, rc, mp, np }).filter(([, value]) => value !== undefined)
    return HistoryEntry.of({
      uri: cause === undefined ? anonymousUri : anonymousUri.withParam('cause', cause),
      params: new Map(params as [string, string][]),
    })
  })
}

/** The entry at another URI, with the same parameters and no name. */
export function withUri(entry: HistoryEntry, uri: Uri): HistoryEntry {
  return HistoryEntry.of({ displayName: entry.displayName, uri, params: entry.params })
}

/** Whether two URIs are the same target, however they are spelt. */
export function isSameTarget(one: Uri, other: Uri): boolean {
  if (one instanceof SipUri) return one.equals(other)
  if (one instanceof TelUri) return one.equals(other)
  return one.toString() === other.toString()
}

/** The cause parameter of a URI: why a call was diverted to it (RFC 4458 §2, RFC 7544 §4). */
export function causeOf(uri: Uri): string | undefined {
  const cause = uri instanceof SipUri ? uri.params.get('cause') : undefined
  return typeof cause === 'string' && /^\d{3}$/.test(cause) ? cause : undefined
}
