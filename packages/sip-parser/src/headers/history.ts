/** Who was asked before: History-Info (RFC 7044 §5, RFC 4244 §4.1). */
import { fail } from '../grammar/failure'
import { param } from '../grammar/params'
import type { Wire } from '../grammar/wire'
import type { Leniency } from '../message/leniency'
import type { Uri } from '../uri/parse-uri'
import { SipUri } from '../uri/sip-uri'
import { readKind, uriHeader } from './address-kinds'
import { NameAddr, type NameAddrInit } from './name-addr'
import { type ParamCheck, readBack, readElements } from './param-value'
import { decodePrivacy } from './privacy'
import { decodeReason, type Reason } from './reason'

/** One entry of History-Info. Immutable. */
export class HistoryEntry extends NameAddr {
  /** Makes an entry. Throws SipUsageError VALUE_INVALID without an index, or for what cannot be written. */
  static override of(init: NameAddrInit): HistoryEntry {
    return readBack(decodeHistoryEntry, NameAddr.of(init).toString(), 'History-Info')
  }

  /** Its place in the tree of targets, such as `1.2.1`. */
  get index(): string {
    return this.params.get('index') ?? ''
  }

  /** The index of the entry whose target was changed to a contact of the same user (`rc`). */
  get rc(): string | undefined {
    return this.params.get('rc') ?? undefined
  }

  /** The index of the entry whose target was mapped to another user (`mp`). */
  get mp(): string | undefined {
    return this.params.get('mp') ?? undefined
  }

  /** The index of the entry whose target was kept (`np`). */
  get np(): string | undefined {
    return this.params.get('np') ?? undefined
  }

  /** The target without the headers that tell of it. */
  get target(): Uri {
    return this.uri instanceof SipUri && this.uri.hasHeaders ? this.uri.with({ headers: undefined }) : this.uri
  }

  /** Why the target was left, from the Reason header in the URI; empty when absent or malformed. */
  get reasons(): readonly Reason[] {
    const text = uriHeader(this.uri, 'reason')
    return text === undefined ? [] : readElements(decodeReason, text)
  }

  /** What is to be hidden of this entry, from the Privacy header in the URI, in lower case; empty when absent. */
  get privacy(): readonly string[] {
    const text = uriHeader(this.uri, 'privacy')
    return text === undefined ? [] : (readElements(decodePrivacy, text)[0] ?? [])
  }

  override withParam(name: string, value: string | null | undefined): HistoryEntry {
    return readBack(decodeHistoryEntry, super.withParam(name, value).toString(), 'History-Info')
  }
}

/** One entry; `cursor.next` is then at a comma or `end`. */
export function decodeHistoryEntry(wire: Wire, start: number, end: number, leniency: Leniency): HistoryEntry {
  let hasIndex = false
  const check: ParamCheck = (name) => {
    if (name !== 'index' && name !== 'rc' && name !== 'mp' && name !== 'np') return
    checkIndex(wire)
    hasIndex ||= name === 'index'
  }
  const entry = readKind(wire, start, end, leniency, (source, uri) => new HistoryEntry(source, uri, undefined), check)
  if (!hasIndex) fail('PARAMETER_MISSING', start)
  return entry
}

/** Numbers with dots between them. */
function checkIndex(wire: Wire): void {
  if (param.valueStart < 0) fail('INDEX_INVALID', param.nameStart)
  let isDigitBefore = false
  for (let at = param.valueStart; at < param.valueEnd; at += 1) {
    const code = wire.bytes[at]!
    const isDigit = code >= 0x30 && code <= 0x39
    if (!isDigit && !(code === 0x2e && isDigitBefore)) fail('INDEX_INVALID', at)
    isDigitBefore = isDigit
  }
  if (!isDigitBefore) fail('INDEX_INVALID', param.valueStart)
}
