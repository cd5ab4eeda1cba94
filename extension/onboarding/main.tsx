/** The consent page: shown once after installing, and as the extension's options page from then on. */
import '../ui/theme.css';
import './onboarding.css';
import { render } from 'preact';
import { connect } from '../ui/link.ts';
import { Onboarding } from './onboarding.tsx';

void connect();
render(<Onboarding />, document.getElementById('root')!);
