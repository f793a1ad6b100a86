import { describe, expect, it } from 'vitest'
import { LoginGuard } from './login-guard'

const limits = { sourcesMax: 3, failuresPerUserMax: 2, failuresPerAddressMax: 4, windowMs: 1000 }

describe('LoginGuard', () => {
  it('blocks a user at an address after too many failures, and nobody else', () => {
    const guard = new LoginGuard(limits)
    guard.failed('192.0.2.1', '1001', 0)
    expect(guard.isBlocked('192.0.2.1', '1001', 0)).toBe(false)
    guard.failed('192.0.2.1', '1001', 1)
    expect(guard.isBlocked('192.0.2.1', '1001', 2)).toBe(true)
    expect(guard.isBlocked('192.0.2.1', '1002', 2)).toBe(false)
    expect(guard.isBlocked('192.0.2.2', '1001', 2)).toBe(false)
  })

  it('blocks an address that tries one user after the other', () => {
    const guard = new LoginGuard(limits)
    for (const user of ['a', 'b', 'c', 'd']) guard.failed('192.0.2.1', user, 0)
    expect(guard.isBlocked('192.0.2.1', 'e', 1)).toBe(true)
  })

  it('forgets after the window', () => {
    const guard = new LoginGuard(limits)
    guard.failed('192.0.2.1', '1001', 0)
    guard.failed('192.0.2.1', '1001', 0)
    expect(guard.isBlocked('192.0.2.1', '1001', 1000)).toBe(false)
    guard.failed('192.0.2.1', '1001', 1000)
    expect(guard.isBlocked('192.0.2.1', '1001', 1001)).toBe(false)
  })

  it('forgets the mistakes of a user who then logs in', () => {
    const guard = new LoginGuard(limits)
    guard.failed('192.0.2.1', '1001', 0)
    guard.succeeded('192.0.2.1', '1001')
    guard.failed('192.0.2.1', '1001', 0)
    expect(guard.isBlocked('192.0.2.1', '1001', 1)).toBe(false)
  })

  it('remembers no more sources than its cap', () => {
    const guard = new LoginGuard(limits)
    for (let i = 0; i < 1000; i++) guard.failed(`198.51.100.${i % 250}`, `user${i}`, i)
    expect(guard.size).toBeLessThanOrEqual(6)
  })
})
