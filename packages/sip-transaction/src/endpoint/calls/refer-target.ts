/** Whom a REFER means: RFC 3515 §2.1 and §2.4.2, RFC 3891 §4 (Replaces in the URI), RFC 3892 §3 (Referred-By). Pure. */
import { type ReferredBy, type Replaces, type SipRequest, SipUri, type Uri } from '@carillon/sip-parser'

/** A REFER, read. */
export interface ReferFacts {
  readonly kind: 'refer'
  /** The target without what is meant for the INVITE: no headers, no method. */
  readonly target: Uri
  readonly replaces: Replaces | undefined
  readonly referredBy: ReferredBy | undefined
}

/** Reads a REFER; `refused` with the status for one that cannot be carried out by an INVITE. */
export function readRefer(message: SipRequest): ReferFacts | { readonly kind: 'refused'; readonly status: number } {
  const referTo = message.decode('referTo')
  // RFC 3515 §2.4.2: none, or more than one, is 400.
  if (!referTo.ok || referTo.value === undefined || message.getAll('Refer-To').length !== 1)
    return { kind: 'refused', status: 400 }
  const { uri, method, replaces } = referTo.value
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips' && uri.scheme !== 'tel') return { kind: 'refused', status: 416 }
  if (method.toUpperCase() !== 'INVITE') return { kind: 'refused', status: 501 }
  const referredBy = message.decode('referredBy')
  return {
    kind: 'refer',
    target: withoutExtras(uri),
    replaces,
    referredBy: referredBy.ok ? referredBy.value : undefined,
  }
}

/** Whether two URIs name the same place: user, host and port. */
export function isSamePlace(one: Uri, other: Uri): boolean {
  if (!(one instanceof SipUri) || !(other instanceof SipUri)) return one.toString() === other.toString()
  return one.user === other.user && one.host === other.host && (one.port ?? 5060) === (other.port ?? 5060)
}

function withoutExtras(uri: Uri): Uri {
  if (!(uri instanceof SipUri)) return uri
  const params = new Map(uri.params)
  params.delete('method')
  return uri.with({ params, headers: new Map() })
}
