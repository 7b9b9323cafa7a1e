import { expect, test } from 'vitest'

import { Api } from '@/protocol/http/api'
import { HttpClient } from '@/protocol/http/client'
import type { FilmPerson, Recording } from '@/protocol/http/recordingShapes'
import { usePersons } from '@/views/recordings/manage/usePersons'

const member: FilmPerson = { name: '王秀兰', memberId: 'm1' }
const guest: FilmPerson = { name: '欧阳教授', memberId: null }
const other: FilmPerson = { name: '司马老师', memberId: null }
const shown = ({ name, memberId }: FilmPerson): object => (memberId ? { memberId } : { name })

/** Two officers look at a film; the server takes the change of whoever saw its list as it stands. */
function filmOf(...begun: FilmPerson[]) {
  let persons = begun
  const known = new Map([member, guest, other].map((one) => [JSON.stringify(shown(one)), one]))
  const api = new Api(
    new HttpClient('https://huitang.example/api', async (input, init) => {
      const request = new Request(input, init)
      if (request.method === 'PATCH') {
        const wanted = (await request.json()) as { persons: object[]; personsBefore: object[] }
        if (JSON.stringify(wanted.personsBefore) !== JSON.stringify(persons.map(shown)))
          return Response.json(
            { error: { code: 'persons_renewed', message: '', details: {} } },
            { status: 409 },
          )
        persons = wanted.persons.flatMap((one) => known.get(JSON.stringify(one)) ?? [])
      }
      return Response.json({ id: 'film', persons })
    }),
  )
  const look = () => usePersons(api, { id: 'film', persons: begun } as Recording)
  return { look, there: () => persons }
}

test('who names persons at the same time as another officer sees his list, is told, and goes on from it', async () => {
  const { look, there } = filmOf(member)
  const [first, second] = [look(), look()]
  expect(await first.add(guest)).toBe('kept')

  expect(await second.add(other)).toBe('renewed')
  expect(second.problem.value).toMatchObject({ code: 'persons_renewed', status: 409 })
  expect([second.persons.value, there()]).toEqual([
    [member, guest],
    [member, guest],
  ])
  expect(await second.add(other)).toBe('kept')
  expect([second.problem.value, there()]).toEqual([undefined, [member, guest, other]])

  expect(await first.remove(guest)).toBe('renewed')
  expect(first.persons.value).toEqual([member, guest, other])
  expect(await first.remove(guest)).toBe('kept')
  expect(there()).toEqual([member, other])
})

test('whom both officers name at the same time is named once', async () => {
  const { look, there } = filmOf()
  const [first, second] = [look(), look()]
  await first.add(guest)
  expect([await second.add(guest), await second.add(guest)]).toEqual(['renewed', 'already'])
  expect(there()).toEqual([guest])
})
