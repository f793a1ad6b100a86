/**
 * The parameter `verstat` of a caller's number (3GPP TS 24.229 §7.2A.20): what the network tells a phone of the signature.
 * It is a parameter of the number, so in a SIP URI it stands before the `@`. Pure.
 */
import { type HeaderInit, NameAddr, type SipRequest, SipUri, TelUri, type Uri } from '@carillon/sip-parser'
import type { HeaderChanges } from '../../endpoint/proxy/proxy-options'

/** Whether the number of a caller is his. */
export type Verstat = 'TN-Validation-Passed' | 'TN-Validation-Failed' | 'No-TN-Validation'

const inUser = /;verstat=[^;]*/gi

/**
 * Writes what was found into P-Asserted-Identity, or into From where there is none, and takes out what somebody else has
 * written there before; without `verstat` that is all. For messages that go to phones and other members of the network.
 */
export function verstatChanges(request: SipRequest, verstat?: Verstat): HeaderChanges {
  const asserted = request.decode('pAssertedIdentities')
  const identities = asserted.ok ? asserted.value : []
  const set: HeaderInit[] = identities.map((address) => ['P-Asserted-Identity', stamped(address, verstat).toString()])
  const from = stamped(request.from, identities.length === 0 ? verstat : undefined)
  if (from !== request.from) set.push(['From', from.toString()])
  return { set }
}

/** The same address when there is nothing to change. */
function stamped(address: NameAddr, verstat: Verstat | undefined): NameAddr {
  const uri = stampedUri(address.uri, verstat)
  const { displayName, params } = address
  return uri === address.uri ? address : NameAddr.of({ displayName, uri, params })
}

function stampedUri(uri: Uri, verstat: Verstat | undefined): Uri {
  if (uri instanceof TelUri) {
    const isThere = uri.params.has('verstat')
    return verstat === undefined && !isThere ? uri : uri.withParam('verstat', verstat)
  }
  if (!(uri instanceof SipUri) || uri.user === undefined) return uri
  const bare = uri.user.replace(inUser, '')
  const isNumber = uri.toTel() !== undefined
  const user = verstat === undefined || !isNumber ? bare : `${bare};verstat=${verstat}`
  const without = uri.params.has('verstat') ? uri.withParam('verstat', undefined) : uri
  return user === uri.user ? without : without.with({ user })
}
