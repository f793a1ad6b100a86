import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { StaticUserStore } from './static-users'
import { openUsersFile } from './users-file'

const folder = mkdtempSync(join(tmpdir(), 'carillon-users-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('openUsersFile', () => {
  it('makes the directory and two extensions on the first start, for the owner only', () => {
    const dataDir = join(folder, 'first', 'deeper')
    const opened = openUsersFile(dataDir)
    expect(opened.isNew).toBe(true)
    expect(opened.users.map((user) => user.extension)).toEqual(['1001', '1002'])
    for (const user of opened.users) expect(user.password).toMatch(/^([a-z2-9]{4}-){3}[a-z2-9]{4}$/)
    expect(opened.users[0]?.password).not.toBe(opened.users[1]?.password)
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
    expect(statSync(opened.path).mode & 0o777).toBe(0o600)
    expect(readdirSync(dataDir)).toEqual(['users.json'])
  })

  it('keeps them afterwards', () => {
    const dataDir = join(folder, 'again')
    const first = openUsersFile(dataDir)
    const second = openUsersFile(dataDir)
    expect(second).toEqual({ ...first, isNew: false })
  })

  it('takes a file that was written by hand', () => {
    const dataDir = join(folder, 'hand')
    mkdirSync(dataDir)
    const users = [{ extension: 'bob', password: 'x', displayName: 'Bob', srtp: 'best-effort' }]
    writeFileSync(join(dataDir, 'users.json'), JSON.stringify({ version: 1, users }))
    expect(openUsersFile(dataDir).users).toEqual([{ ...users[0], isGenerated: false }])
  })

  it.each([
    '{',
    '[]',
    '{"version":2,"users":[]}',
    '{"version":1,"users":[{"extension":"1 1","password":"hunter2"}]}',
    '{"version":1,"users":[{"extension":"1","password":"hunter2"},{"extension":"1","password":"hunter2"}]}',
    '{"version":1,"users":[{"extension":"1","password":"hunter2","passwort":"hunter2"}]}',
    '{"version":1,"users":[{"extension":"1","password":"hunter2","srtp":"maybe"}]}',
  ])('says in one line what is wrong with %s, and leaves it alone', (text) => {
    const dataDir = mkdtempSync(join(folder, 'bad-'))
    const path = join(dataDir, 'users.json')
    writeFileSync(path, text)
    expect(() => openUsersFile(dataDir)).toThrow(/^users file .*users\.json is not [^\n]*$/)
    try {
      openUsersFile(dataDir)
    } catch (error) {
      expect((error as Error).message).not.toContain('hunter2')
    }
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('says in one line when the directory cannot be made', () => {
    writeFileSync(join(folder, 'file'), '')
    expect(() => openUsersFile(join(folder, 'file'))).toThrow(/^data directory [^\n]* cannot be used/)
  })
})

describe('StaticUserStore', () => {
  it('finds users by their exact extension', async () => {
    const store = new StaticUserStore([{ extension: 'Bob', password: 'x' }])
    expect((await store.find('Bob'))?.password).toBe('x')
    expect(await store.find('bob')).toBeUndefined()
    expect(await store.find('__proto__')).toBeUndefined()
    expect(store.size).toBe(1)
  })
})
