import { describe, expect, it } from 'vitest'
import { sampleRequest } from '../testing/sample-messages'
import { requestClass } from './request-class'

describe('requestClass', () => {
  it('RFC 7339 §5.10.1: tells new calls, other requests, registrations, and what is never refused', () => {
    expect(requestClass(sampleRequest())).toBe('invite')
    for (const method of ['OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'FOO'])
      expect(requestClass(sampleRequest({ method }))).toBe('other')
    expect(requestClass(sampleRequest({ method: 'REGISTER' }))).toBe('register')
    for (const method of ['ACK', 'CANCEL', 'BYE', 'PRACK', 'UPDATE'])
      expect(requestClass(sampleRequest({ method }))).toBe('kept')
  })

  it('keeps what is inside a dialog, but a REGISTER has none', () => {
    for (const method of ['INVITE', 'INFO', 'NOTIFY'])
      expect(requestClass(sampleRequest({ method, toTag: 'us' }))).toBe('kept')
    expect(requestClass(sampleRequest({ method: 'REGISTER', toTag: 'us' }))).toBe('register')
  })

  it('RFC 5031, RFC 4412 §12, RFC 7135: keeps emergencies', () => {
    expect(requestClass(sampleRequest({ uri: 'urn:service:sos' }))).toBe('kept')
    expect(requestClass(sampleRequest({ uri: 'urn:service:sos.fire' }))).toBe('kept')
    expect(requestClass(sampleRequest({ uri: 'urn:service:sosial' }))).toBe('invite')
    for (const value of ['esnet.0', 'q735.1, ets.2', 'WPS.3'])
      expect(requestClass(sampleRequest({ headers: [['Resource-Priority', value]] }))).toBe('kept')
    for (const value of ['q735.1', 'x-esnet.0', 'esnet'])
      expect(requestClass(sampleRequest({ headers: [['Resource-Priority', value]] }))).toBe('invite')
  })
})
