/** The popup; the same page is the side panel and, opened as a tab, the full-width view. */
import '../ui/theme.css';
import './popup.css';
import './wallet.css';
import './payments.css';
import './history.css';
import { render } from 'preact';
import { app, connect } from '../ui/link.ts';
import { Popup } from './popup.tsx';
import { readSnapshot, writeSnapshot } from './snapshot.ts';

// Only the toolbar's popup has to say how large it wants to be; tab and side panel are as large as they are.
document.documentElement.classList.toggle('is-popup', location.search === '?popup');
app.value = readSnapshot(localStorage);
addEventListener('pagehide', () => writeSnapshot(localStorage, app.value));
void connect();
render(<Popup />, document.getElementById('root')!);
