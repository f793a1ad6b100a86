/** History-Info of a request that is proxied: option `history` of `request.proxy` (RFC 7044 §8, §9). */
import type { Contact, HeaderInit, HistoryEntry, SipRequest, SipResponse } from '@carillon/sip-parser'
import type { BranchFailure, HeaderChanges, ProxyHop, ProxyOptions, ProxyTarget } from '../endpoint/proxy/proxy-options'
import { readUri } from '../endpoint/requests/outgoing'
import { historyEntriesMax } from '../limits'
import { mergeChanges } from './header-changes'
import { hidePrivate, type RetargetKind } from './history-entries'
import { isIndex } from './history-index'
import { privacyOf } from './privacy-request'
import { RequestHistory } from './request-history'
import { peerAt, type TrustDomain, type TrustPeer } from './trust-domain'

/** How the history of a proxied request is kept. */
export interface HistoryOptions {
  /** How its targets come about: `rc` for registered contacts, `mp` for another user. Told by their user parts when absent. */
  readonly kind?: RetargetKind
  /** True to have the new entries hidden outside of the domain. */
  readonly isPrivate?: boolean
  /** Who sees private entries; to others they name nobody. Without it nothing is hidden, and Privacy is left to others. */
  readonly trust?: TrustDomain
  /** The domains whose entries are hidden when the request asks for privacy of its whole history; all when absent. */
  readonly domains?: readonly string[]
}

/** What a proxied request tells of itself. */
interface Received {
  readonly message: SipRequest
  readonly source: TrustPeer
}

/** The options of a proxied request with its history in them; the same ones when none is to be kept, or it cannot be read. */
export function withHistory(received: Received, options: ProxyOptions): ProxyOptions {
  const { history: given = false } = options
  const history = given === false ? undefined : RequestHistory.of(received.message)
  if (history === undefined) return options
  return new ProxiedHistory(received, history, given === true ? {} : (given as HistoryOptions), options).options
}

class ProxiedHistory {
  /** Targets under way; as many as a proxied request may have. */
  private readonly targets = new Map<ProxyTarget, HistoryEntry>()
  /** Where redirections lead to, by URI, and how. */
  private readonly redirections = new Map<string, { readonly kind: RetargetKind | undefined; readonly from: string }>()
  private readonly supportsHistory: boolean
  private readonly isWhole: boolean

  constructor(
    private readonly received: Received,
    private readonly history: RequestHistory,
    private readonly settings: HistoryOptions,
    private readonly given: ProxyOptions,
  ) {
    const supported = received.message.decode('supported')
    this.supportsHistory = supported.ok && supported.value.some((tag) => tag.toLowerCase() === 'histinfo')
    const { levels } = privacyOf(received.message)
    this.isWhole = levels.has('history') || levels.has('header')
  }

  get options(): ProxyOptions {
    const { headers, responseHeaders, onResponse, onBranchFailed } = this.given
    return {
      ...this.given,
      headers: (target, hop) =>
        mergeChanges(typeof headers === 'function' ? headers(target, hop) : headers, this.changes(target, hop)),
      responseHeaders: (response, target, hop) => {
        const others = typeof responseHeaders === 'function' ? responseHeaders(response, target, hop) : responseHeaders
        return mergeChanges(others, this.responseChanges(response, target))
      },
      onResponse: (response, target) => {
        this.hear(response, target)
        onResponse?.(response, target)
      },
      onBranchFailed: (failure) => {
        this.fail(failure)
        return onBranchFailed?.(failure)
      },
    }
  }

  private changes(target: ProxyTarget, hop: ProxyHop): HeaderChanges {
    const entries = this.history.entriesFor(this.entryOf(target))
    return { remove: ['History-Info'], add: linesOf(this.seenBy(peerAt(target, hop), entries)) }
  }

  /** §9.4: all of it, and to those only who said that they know it. */
  private responseChanges(response: SipResponse, target: ProxyTarget | undefined): HeaderChanges {
    if (!this.supportsHistory) return response.has('History-Info') ? { remove: ['History-Info'] } : {}
    this.hear(response, target)
    return { remove: ['History-Info'], add: linesOf(this.seenBy(this.received.source, this.history.entries)) }
  }

  private hear(response: SipResponse, target: ProxyTarget | undefined): void {
    const entry = target === undefined ? undefined : this.targets.get(target)
    if (entry === undefined) return
    this.history.answered(entry, response)
    if (response.status < 300 || response.status > 399) return
    const contacts = response.decode('contacts')
    for (const contact of contacts.ok ? contacts.value : []) {
      if (this.redirections.size >= historyEntriesMax) return
      this.redirections.set(contact.uri.toString(), { kind: kindIn(contact), from: sourceIn(contact) ?? entry.index })
    }
  }

  private fail({ target, reason, status }: BranchFailure): void {
    const entry = this.targets.get(target)
    if (entry !== undefined && reason !== 'status') this.history.left(entry, status)
  }

  /** One entry for a target, however often its request is sent. */
  private entryOf(target: ProxyTarget): HistoryEntry {
    let entry = this.targets.get(target)
    if (entry === undefined) {
      const uri = readUri(target.uri, 'target')
      const { kind, isPrivate } = this.settings
      entry = this.history.retarget(uri, { kind, isPrivate, ...this.redirections.get(uri.toString()) })
      this.targets.set(target, entry)
    }
    return entry
  }

  private seenBy(peer: TrustPeer, entries: readonly HistoryEntry[]): readonly HistoryEntry[] {
    const { trust, domains } = this.settings
    if (trust === undefined || trust.trusts(peer)) return entries
    return hidePrivate(entries, { isWhole: this.isWhole, domains })
  }
}

function linesOf(entries: readonly HistoryEntry[]): HeaderInit[] {
  return entries.map((entry): HeaderInit => ['History-Info', entry.toString()])
}

const kinds: readonly RetargetKind[] = ['rc', 'mp', 'np']

/** What a redirection says of how a contact came about (§10.4). */
function kindIn(contact: Contact): RetargetKind | undefined {
  return kinds.find((kind) => contact.params.has(kind))
}

function sourceIn(contact: Contact): string | undefined {
  const kind = kindIn(contact)
  const index = kind === undefined ? undefined : (contact.params.get(kind) ?? undefined)
  return index !== undefined && isIndex(index) ? index : undefined
}
