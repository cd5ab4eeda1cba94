/** Which of the wallet's views is shown, and the way back. */
import { useEffect, useRef, useState } from 'preact/hooks';

export type View = { name: 'home' | 'send' | 'receive' | 'history' } | { name: 'transaction'; hash: string };

export interface Views {
  current: View;
  open(view: View): void;
  /** Shows it instead of the current one, which is not come back to. */
  replace(view: View): void;
  /** To the view before, where what opened this one has the focus again. */
  back(): void;
}

interface Step {
  view: View;
  /** The id of what had the focus when the next view was opened. */
  openerId?: string;
}

export function useViews(first: View[]): Views {
  const [steps, setSteps] = useState<Step[]>(() => first.map((view) => ({ view })));
  const isBack = useRef(false);
  const current = steps.at(-1)!;

  useEffect(() => {
    if (isBack.current && current.openerId) document.getElementById(current.openerId)?.focus();
    isBack.current = false;
  }, [current]);

  return {
    current: current.view,
    open: (view) =>
      setSteps([...steps.slice(0, -1), { ...current, openerId: document.activeElement?.id ?? '' }, { view }]),
    replace: (view) => setSteps([...steps.slice(0, -1), { view }]),
    back: () => {
      isBack.current = true;
      setSteps(steps.slice(0, -1));
    },
  };
}
