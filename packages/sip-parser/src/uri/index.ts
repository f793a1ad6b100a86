/** URIs: sip, sips, tel, and the rest as text. */
export { OpaqueUri } from './opaque-uri'
export { parseUri, type Uri } from './parse-uri'
export { SipUri, type SipUriInit } from './sip-uri'
export { TelUri, type TelUriInit } from './tel-uri'
export type { UriHeadersInit } from './uri-params'
export type { Urn } from './urn'
