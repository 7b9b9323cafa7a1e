import { onMounted, type ShallowRef } from 'vue'

/**
 * Takes the focus where what had it has just gone, as a button that led here: who goes by the keyboard, or listens,
 * begins at the heading and not at the top of the page. Whoever is somewhere else stays there.
 */
export function useFocusHere(heading: Readonly<ShallowRef<HTMLElement | null>>): void {
  onMounted(() => {
    if (document.activeElement === null || document.activeElement === document.body) heading.value?.focus()
  })
}
