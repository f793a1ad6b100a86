import { describe, expect, it } from 'vitest'
import { route } from './router'

const facts = { caller: '1001', dialled: '1002', isOurDomain: true, extension: { name: '1002', registeredPhones: 1 } }

describe('route', () => {
  it('sends a call to the extension that was dialled', () => {
    expect(route(facts)).toEqual({ kind: 'extension', extension: '1002' })
  })

  it('RFC 3261 §21.4.18: answers 480 when no phone is registered', () => {
    expect(route({ ...facts, extension: { name: '1002', registeredPhones: 0 } })).toMatchObject({ status: 480 })
  })

  it('RFC 3261 §21.4.5: answers 404 for an extension that does not exist', () => {
    expect(route({ ...facts, extension: undefined })).toMatchObject({ kind: 'reject', status: 404 })
  })

  it('answers 404 for another domain, even if the extension exists here', () => {
    expect(route({ ...facts, isOurDomain: false })).toMatchObject({ kind: 'reject', status: 404 })
  })

  it('asks the kinds of route in order and takes the first that knows', () => {
    const first = { name: 'first', route: () => ({ kind: 'extension', extension: '9' }) as const }
    const second = { name: 'second', route: () => ({ kind: 'reject', status: 403, why: 'never asked' }) as const }
    expect(route(facts, [first, second])).toEqual({ kind: 'extension', extension: '9' })
  })
})
