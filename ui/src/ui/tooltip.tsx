import {
  cloneElement,
  type FocusEvent,
  type MouseEvent,
  type ReactElement,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { createPortal } from 'react-dom';
import css from './tooltip.module.css';

const DELAY = 350;
const GAP = 6;

interface TargetProps {
  'aria-describedby'?: string | undefined;
  onMouseEnter?: (event: MouseEvent<HTMLElement>) => void;
  onMouseLeave?: (event: MouseEvent<HTMLElement>) => void;
  onFocus?: (event: FocusEvent<HTMLElement>) => void;
  onBlur?: (event: FocusEvent<HTMLElement>) => void;
}

interface Props {
  label: ReactNode;
  children: ReactElement<TargetProps>;
  disabled?: boolean;
  /** The label repeats what the target says of itself (icon buttons): do not speak it twice. */
  repeats?: boolean;
}

function Bubble({ anchor, id, children }: { anchor: DOMRect; id: string; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);
  useLayoutEffect(() => {
    const box = ref.current?.getBoundingClientRect();
    if (box === undefined) return;
    const above = anchor.top - box.height - GAP;
    const left = anchor.left + anchor.width / 2 - box.width / 2;
    setPlace({
      left: Math.max(8, Math.min(left, innerWidth - box.width - 8)),
      top: above > 8 ? above : anchor.bottom + GAP,
    });
  }, [anchor]);
  return createPortal(
    <div
      ref={ref}
      id={id}
      role="tooltip"
      className={css.bubble}
      style={place ?? { visibility: 'hidden', left: 0, top: 0 }}
    >
      {children}
    </div>,
    document.body,
  );
}

/** A word about what the pointer or the focus is on. Small on purpose: it is part of the first load. */
export function Tooltip({ label, children, disabled, repeats }: Props) {
  const id = useId();
  const [anchor, setAnchor] = useState<DOMRect | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const hide = () => {
    clearTimeout(timer.current);
    setAnchor(null);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (anchor === null) return;
    const gone = () => setAnchor(null);
    addEventListener('keydown', gone, true);
    addEventListener('scroll', gone, true);
    addEventListener('pointerdown', gone, true);
    return () => {
      removeEventListener('keydown', gone, true);
      removeEventListener('scroll', gone, true);
      removeEventListener('pointerdown', gone, true);
    };
  }, [anchor]);
  const show = (element: HTMLElement, delay: number) => {
    if (disabled === true) return;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setAnchor(element.getBoundingClientRect()), delay);
  };
  const { props } = children;
  return (
    <>
      {cloneElement(children, {
        ...(anchor !== null && repeats !== true && { 'aria-describedby': id }),
        onMouseEnter: (event) => {
          props.onMouseEnter?.(event);
          show(event.currentTarget, DELAY);
        },
        onMouseLeave: (event) => {
          props.onMouseLeave?.(event);
          hide();
        },
        onFocus: (event) => {
          props.onFocus?.(event);
          if (event.currentTarget.matches(':focus-visible')) show(event.currentTarget, 0);
        },
        onBlur: (event) => {
          props.onBlur?.(event);
          hide();
        },
      })}
      {anchor !== null && (
        <Bubble anchor={anchor} id={id}>
          {label}
        </Bubble>
      )}
    </>
  );
}
