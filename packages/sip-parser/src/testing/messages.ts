/** Ready messages for tests, with what a test most often wants to choose (addresses of RFC 5737 and RFC 2606). */
import { createRequest, createResponse } from '../message/build'
import type { SipRequest, SipResponse } from '../message/message'
import type { HeaderInit } from '../message/serialize'

/** What a fixture lets a test choose; everything has a default. */
export interface MessageFixture {
  readonly uri?: string
  readonly via?: string
  readonly from?: string
  readonly to?: string
  readonly callId?: string
  readonly cseq?: number
  readonly contact?: string
  /** Added after the others. */
  readonly headers?: readonly HeaderInit[]
  readonly body?: Uint8Array | string
}

/** An audio offer. */
export const sampleSdp = [
  'v=0',
  'o=alice 2890844526 2890844526 IN IP4 192.0.2.101',
  's=-',
  'c=IN IP4 192.0.2.101',
  't=0 0',
  'm=audio 49172 RTP/AVP 0 8 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=sendrecv',
  '',
].join('\r\n')

/** An INVITE with an audio offer. */
export function sampleInvite(fixture: MessageFixture = {}): SipRequest {
  return request('INVITE', { body: sampleSdp, ...fixture }, 'application/sdp')
}

/** A REGISTER. */
export function registerRequest(fixture: MessageFixture = {}): SipRequest {
  return request('REGISTER', { uri: 'sip:example.com', to: '<sip:alice@example.com>', ...fixture })
}

/** An OPTIONS. */
export function optionsRequest(fixture: MessageFixture = {}): SipRequest {
  return request('OPTIONS', fixture)
}

/** A response with the headers that a response must have. */
export function sampleResponse(
  status: number,
  fixture: MessageFixture & { readonly method?: string } = {},
): SipResponse {
  const headers = commonHeaders(fixture.method ?? 'INVITE', { to: '<sip:bob@example.com>;tag=b2', ...fixture })
  return createResponse({ status, headers: headers.filter(([name]) => name !== 'Max-Forwards'), body: fixture.body })
}

/** The bytes of {@link sampleInvite}. */
export function inviteBytes(fixture: MessageFixture = {}): Uint8Array {
  return sampleInvite(fixture).toBytes()
}

function request(method: string, fixture: MessageFixture, contentType?: string): SipRequest {
  return createRequest({
    method,
    uri: fixture.uri ?? 'sip:bob@example.com',
    headers: commonHeaders(method, fixture),
    body: fixture.body,
    contentType: fixture.body === undefined ? undefined : contentType,
  })
}

function commonHeaders(method: string, fixture: MessageFixture): readonly HeaderInit[] {
  return [
    ['Via', fixture.via ?? 'SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK776asdhds'],
    ['Max-Forwards', 70],
    ['From', fixture.from ?? '"Alice" <sip:alice@example.com>;tag=a1'],
    ['To', fixture.to ?? '<sip:bob@example.com>'],
    ['Call-ID', fixture.callId ?? 'a84b4c76e66710@192.0.2.101'],
    ['CSeq', `${fixture.cseq ?? 1} ${method}`],
    ['Contact', fixture.contact ?? '<sip:alice@192.0.2.101:5060>'],
    ...(fixture.headers ?? []),
  ]
}
