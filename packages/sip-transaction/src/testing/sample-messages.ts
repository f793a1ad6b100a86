/** Requests and flows for tests of this package that need no network. */
import { createRequest, type HeaderInit, type SipRequest } from '@carillon/sip-parser'
import type { Flow } from '../ports'

/** What a sample differs in from the others. */
export interface SampleRequestInit {
  readonly method?: string
  readonly branch?: string
  readonly sentBy?: string
  readonly callId?: string
  readonly cseq?: number
  readonly fromTag?: string
  readonly toTag?: string
  readonly uri?: string
  readonly headers?: readonly HeaderInit[]
}

/** A request with its mandatory headers; INVITE unless told otherwise. */
export function sampleRequest(init: SampleRequestInit = {}): SipRequest {
  const method = init.method ?? 'INVITE'
  const branch = init.branch ?? 'z9hG4bKsample'
  return createRequest({
    method,
    uri: init.uri ?? 'sip:bob@example.net',
    headers: [
      ['Via', `SIP/2.0/UDP ${init.sentBy ?? '192.0.2.1:5060'}${branch === '' ? '' : `;branch=${branch}`}`],
      ['Max-Forwards', 70],
      ['From', `<sip:alice@example.com>;tag=${init.fromTag ?? 'alice'}`],
      ['To', `<sip:bob@example.net>${init.toTag === undefined ? '' : `;tag=${init.toTag}`}`],
      ['Call-ID', init.callId ?? 'sample@192.0.2.1'],
      ['CSeq', `${init.cseq ?? 1} ${method}`],
      ...(init.headers ?? []),
    ],
  })
}

/** An open flow from 192.0.2.1:5060, unreliable unless told otherwise. */
export function sampleFlow(init: Partial<Flow> = {}): Flow {
  const isReliable = init.isReliable ?? false
  const transport = isReliable ? 'TCP' : 'UDP'
  return {
    id: 1,
    transport,
    isReliable,
    isSecure: false,
    isOpen: true,
    local: { transport, address: '192.0.2.9', port: 5060 },
    remote: { transport, address: '192.0.2.1', port: 5060 },
    ...init,
  }
}
