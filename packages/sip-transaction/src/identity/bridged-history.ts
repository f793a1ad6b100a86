/** History-Info of a call that goes through a bridge: each target gets the history so far, and its own entry (RFC 7044 §9.2). */
import type { HistoryEntry } from '@carillon/sip-parser'
import type { BridgeTarget } from '../endpoint/bridge/bridge-options'
import { readUri } from '../endpoint/requests/outgoing'
import { hidePrivate } from './history-entries'
import { privacyOf } from './privacy-request'
import type { HistoryOptions } from './proxied-history'
import { RequestHistory } from './request-history'
import type { ReceivedRequest } from './trust-domain'

/**
 * Targets of `request.bridge` with the history of the request among their headers; as they are when it cannot be read.
 * The header policy of the bridge must then not let History-Info pass besides.
 * @throws SipUsageError TARGET_INVALID
 */
export function historyTargets(
  request: ReceivedRequest,
  targets: readonly (BridgeTarget | string)[],
  options: HistoryOptions = {},
): readonly BridgeTarget[] {
  const { message } = request
  const read = targets.map((target): BridgeTarget => (typeof target === 'string' ? { uri: target } : target))
  const history = RequestHistory.of(message)
  if (history === undefined) return read
  const { kind, isPrivate, trust, domains } = options
  const { levels } = privacyOf(message)
  const isWhole = levels.has('history') || levels.has('header')
  return read.map((target) => {
    const entry = history.retarget(readUri(target.uri, 'target'), { kind, isPrivate })
    const isOutside = trust !== undefined && !trust.trusts(target)
    const all: readonly HistoryEntry[] = history.entriesFor(entry)
    const seen = isOutside ? hidePrivate(all, { isWhole, domains }) : all
    return { ...target, headers: [...(target.headers ?? []), ...seen.map((line) => ['History-Info', line] as const)] }
  })
}
