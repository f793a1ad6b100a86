/**
 * Typed getters for the headers of networks: routes of a registration, asserted and signed identity, privacy, security,
 * policy, location and charging. Each names the RFC that governs it.
 */
import { decodeServedUser, type ServedUser } from '../headers/address-kinds'
import {
  type ChargingAddresses,
  type ChargingVector,
  decodeChargingAddresses,
  decodeChargingVector,
} from '../headers/charging'
import { decodeIdentity, type Identity } from '../headers/identity'
import * as id from '../headers/ids'
import { decodeServiceElement, decodeTokenElement } from '../headers/lists'
import { decodeNameAddr, decodeOneNameAddr, type NameAddr } from '../headers/name-addr'
import { decodePrivacy } from '../headers/privacy'
import { decodeDeltaSeconds } from '../headers/scalars'
import { decodeSecurityMechanism, type SecurityMechanism } from '../headers/security'
import {
  decodeOneUri,
  decodeOneValue,
  decodeTextElement,
  decodeUriElement,
  decodeValueElement,
  type UriWithParams,
  type ValueWithParams,
} from '../headers/values'
import type { Uri } from '../uri/parse-uri'
import { HeaderReader } from './header-reader'

/** The headers that networks speak to each other with. It has no fields: what is decoded is kept by the message. */
export abstract class NetworkHeaders extends HeaderReader {
  /** RFC 3327 §4. */
  get paths(): readonly NameAddr[] {
    return this.list(id.PATH, decodeNameAddr)
  }

  /** RFC 3608 §5. */
  get serviceRoutes(): readonly NameAddr[] {
    return this.list(id.SERVICE_ROUTE, decodeNameAddr)
  }

  /** Seconds after which a flow is dead (RFC 5626 §10). */
  get flowTimer(): number | undefined {
    return this.first(id.FLOW_TIMER, decodeDeltaSeconds)
  }

  /** What is to be hidden, in lower case: `id`, `header`, `session`, `user`, `none`, `critical` (RFC 3323 §4.2). Empty when absent. */
  get privacy(): readonly string[] {
    return this.first(id.PRIVACY, decodePrivacy) ?? []
  }

  /** RFC 8224 §4. */
  get identities(): readonly Identity[] {
    return this.list(id.IDENTITY, decodeIdentity, true)
  }

  /** Obsolete, of RFC 4474 §9. */
  get identityInfo(): UriWithParams | undefined {
    return this.first(id.IDENTITY_INFO, decodeOneUri)
  }

  /** RFC 3329 §2.2. */
  get securityClient(): readonly SecurityMechanism[] {
    return this.list(id.SECURITY_CLIENT, decodeSecurityMechanism)
  }

  /** RFC 3329 §2.2. */
  get securityServer(): readonly SecurityMechanism[] {
    return this.list(id.SECURITY_SERVER, decodeSecurityMechanism)
  }

  /** RFC 3329 §2.2. */
  get securityVerify(): readonly SecurityMechanism[] {
    return this.list(id.SECURITY_VERIFY, decodeSecurityMechanism)
  }

  /** RFC 6794 §4.4. */
  get policyContacts(): readonly NameAddr[] {
    return this.list(id.POLICY_CONTACT, decodeNameAddr)
  }

  /** RFC 6794 §4.4. */
  get policyIds(): readonly NameAddr[] {
    return this.list(id.POLICY_ID, decodeNameAddr)
  }

  /** RFC 5360 §5.9. */
  get permissionMissing(): readonly NameAddr[] {
    return this.list(id.PERMISSION_MISSING, decodeNameAddr)
  }

  /** RFC 5360 §5.11. */
  get triggerConsent(): readonly NameAddr[] {
    return this.list(id.TRIGGER_CONSENT, decodeNameAddr)
  }

  /** RFC 6442 §4.1. */
  get geolocations(): readonly UriWithParams[] {
    return this.list(id.GEOLOCATION, decodeUriElement)
  }

  /** `yes` or `no` (RFC 6442 §4.2). */
  get geolocationRouting(): ValueWithParams | undefined {
    return this.first(id.GEOLOCATION_ROUTING, decodeOneValue)
  }

  /** Three digits (RFC 6442 §4.3). */
  get geolocationError(): ValueWithParams | undefined {
    return this.first(id.GEOLOCATION_ERROR, decodeOneValue)
  }

  /** Who calls, as the network knows it (RFC 3325 §9.1). To be believed only from a trusted peer. */
  get pAssertedIdentities(): readonly NameAddr[] {
    return this.list(id.P_ASSERTED_IDENTITY, decodeNameAddr)
  }

  /** RFC 3325 §9.2. */
  get pPreferredIdentities(): readonly NameAddr[] {
    return this.list(id.P_PREFERRED_IDENTITY, decodeNameAddr)
  }

  /** URNs (RFC 6050 §4.1). */
  get pAssertedServices(): readonly Uri[] {
    return this.list(id.P_ASSERTED_SERVICE, decodeServiceElement)
  }

  /** URNs (RFC 6050 §4.2). */
  get pPreferredServices(): readonly Uri[] {
    return this.list(id.P_PREFERRED_SERVICE, decodeServiceElement)
  }

  /** RFC 7315 §4.1. */
  get pAssociatedUris(): readonly NameAddr[] {
    return this.list(id.P_ASSOCIATED_URI, decodeNameAddr)
  }

  /** RFC 7315 §4.2. */
  get pCalledPartyId(): NameAddr | undefined {
    return this.first(id.P_CALLED_PARTY_ID, decodeOneNameAddr)
  }

  /** RFC 7315 §4.3. */
  get pVisitedNetworkIds(): readonly ValueWithParams[] {
    return this.list(id.P_VISITED_NETWORK_ID, decodeTextElement)
  }

  /** Access types with what is known of the access (RFC 7315 §4.4). */
  get pAccessNetworkInfo(): readonly ValueWithParams[] {
    return this.list(id.P_ACCESS_NETWORK_INFO, decodeValueElement)
  }

  /** RFC 7315 §4.5. */
  get pChargingFunctionAddresses(): ChargingAddresses | undefined {
    return this.first(id.P_CHARGING_FUNCTION_ADDRESSES, decodeChargingAddresses)
  }

  /** RFC 7315 §4.6. */
  get pChargingVector(): ChargingVector | undefined {
    return this.first(id.P_CHARGING_VECTOR, decodeChargingVector)
  }

  /** `sendrecv`, `inactive`, `gated`, `supported`, … (RFC 5009 §8). */
  get pEarlyMedia(): readonly string[] {
    return this.list(id.P_EARLY_MEDIA, decodeTokenElement)
  }

  /** RFC 5502 §6. */
  get pServedUser(): ServedUser | undefined {
    return this.first(id.P_SERVED_USER, decodeServedUser)
  }

  /** A Diameter URI (RFC 4457 §4). */
  get pUserDatabase(): UriWithParams | undefined {
    return this.first(id.P_USER_DATABASE, decodeOneUri)
  }

  /** `Confirmed` or `Unconfirmed` (RFC 4964 §6). */
  get pAnswerState(): ValueWithParams | undefined {
    return this.first(id.P_ANSWER_STATE, decodeOneValue)
  }

  /** The domain of a private network (RFC 7316 §7). */
  get pPrivateNetworkIndication(): ValueWithParams | undefined {
    return this.first(id.P_PRIVATE_NETWORK_INDICATION, decodeOneValue)
  }
}
